"""A site with an archive, for tests: posts newest first, a feed of ten, older pages as WordPress or Blogger give them."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape

from werkzeug import Request, Response

#: The first post of every archive; the others follow an hour apart.
BEGUN = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)

_DATE = re.compile("<pubDate>.*?</pubDate>")


@dataclass
class Archive:
    """`total` posts, numbered from one, which is the oldest. `on_request` may change it before an answer."""

    total: int
    size: int = 10
    #: None: the site knows no such parameter.
    counted_by: str | None = "paged"
    #: What stands at the top of every page.
    pinned: tuple[int, ...] = ()
    #: False: its posts have no dates.
    dated: bool = True
    gone: set[int] = field(default_factory=set)
    rest: bool = False
    requests: list[str] = field(default_factory=list)
    on_request: Callable[["Archive", Request], Response | None] = lambda _archive, _request: None

    def answer(self, request: Request) -> Response:
        """For pytest-httpserver."""
        self.requests.append(request.full_path)
        own = self.on_request(self, request)
        if own is not None:
            return own
        if "/wp-json/" in request.path:
            return self._posts(request) if self.rest else Response("{}", status=404)
        return self._feed(request)

    def _feed(self, request: Request) -> Response:
        number = int(request.args.get(self.counted_by or "", 1))
        numbers = self._page(number, self.size)
        if not numbers and number > 1:
            return Response("<html>nothing here", status=404)
        shown = (*self.pinned, *(one for one in numbers if one not in self.pinned))
        items = "".join(_item(one) if self.dated else _DATE.sub("", _item(one)) for one in shown)
        return Response(
            "<?xml version='1.0' encoding='UTF-8'?><rss version='2.0'><channel><title>Harbour archive</title>"
            f"<link>{request.host_url}</link><description/>{items}</channel></rss>",
            content_type="application/rss+xml",
        )

    def _posts(self, request: Request) -> Response:
        number, size = int(request.args["page"]), int(request.args["per_page"])
        numbers = self._page(number, size)
        if not numbers:
            return Response('{"code":"rest_post_invalid_page_number"}', 400, content_type="application/json")
        return Response(json.dumps([_post(one) for one in numbers]), content_type="application/json")

    def _page(self, number: int, size: int) -> list[int]:
        present = [one for one in range(self.total, 0, -1) if one not in self.gone]
        return present[(number - 1) * size : number * size]


def moment(number: int) -> datetime:
    return BEGUN + timedelta(hours=number)


def guid(number: int) -> str:
    return f"https://archive.example/?post_type=brief&p={number}"


def text(number: int) -> str:
    return f"<p>Ship number {number} left the harbour with Huawei cables on board.</p>"


def _item(number: int) -> str:
    return (
        f"<item><title>Ship {number} &amp; cargo</title><link>https://archive.example/{number}/</link>"
        f"<guid isPermaLink='false'>{escape(guid(number))}</guid><pubDate>{moment(number):%a, %d %b %Y %H:%M:%S} +0000</pubDate>"
        f"<description><![CDATA[{text(number)}]]></description></item>"
    )


def _post(number: int) -> dict[str, object]:
    return {
        "id": number,
        "date_gmt": f"{moment(number):%Y-%m-%dT%H:%M:%S}",
        "guid": {"rendered": guid(number).replace("&", "&#038;")},
        "link": f"https://archive.example/{number}/",
        "title": {"rendered": f"Ship {number} &#038; cargo"},
        "content": {"rendered": text(number), "protected": False},
        "author": 3,
        "_embedded": {
            "author": [{"id": 3, "name": "Lee L. Dunn"}],
            "wp:term": [[{"name": "Harbour"}], [{"name": "cables"}]],
        },
    }
