"""The whole service for the script of attacks: real pages, worker and beat, a feed, and an SMTP server that keeps the mails."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

from pytest_httpserver import HTTPServer

from tests.fakes.caught import Mail
from tests.fakes.smtp import SmtpCatcher
from tests.security.service import Answer, Service

HOST = "news.example.org"
#: Where the reverse proxy stands, and what Prometheus would send.
PROXY, TOKEN = "127.0.0.2", "a-token-for-prometheus"
TOPIC = "Uyghur"
READER, LEAVER = "reader@example.org", "leaver@example.org"
#: Items of the last 30 days, for the keyword preview.
ITEMS = 6_000
_FILL = (
    "import django, json; django.setup()\nfrom bench.preview import fill\n"
    f"print(json.dumps(fill({ITEMS})['ten lines']))"
)
_ARTICLE = "<p>A research group found a label for Uyghur faces in a camera. The road to Zzyzx is long.</p>"
_FEED = (
    "<rss version='2.0'><channel><title>A digest</title><item><title>Cameras that sort passers-by</title>"
    f"<guid>1</guid><link>https://digest.example/1</link><description><![CDATA[{_ARTICLE}]]></description></item>"
    "</channel></rss>"
)
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="(\w+)"')
T = TypeVar("T")


@dataclass(frozen=True)
class WholeService:
    """What an attacker meets, and what the attacks need to know of it."""

    service: Service
    smtp: SmtpCatcher
    #: Ten keywords, frequent and rare, for the preview.
    keywords: list[str] = field(repr=False)

    def visitor(self, address: str) -> "Visitor":
        """Somebody with this IP address, behind the proxy."""
        return Visitor(self.service, address)

    def mails_to(self, address: str) -> list[Mail]:
        """What the SMTP server took for this person."""
        return [mail for mail in list(self.smtp.messages) if mail.recipient == address]

    def mail_to(self, address: str, *, after: int = 0) -> Mail:
        """The first mail to this person behind the first `after` ones, once it is there."""
        return wait_for(lambda: self.mails_to(address)[after:], "a mail")[0]

    def status(self) -> dict[str, object]:
        """The figures of `newsletter status`."""
        return json.loads(self.service.command("status", "--json"))  # type: ignore[no-any-return]


class Visitor:
    """A browser without scripts: it keeps the cookie of the forms, and sends what a form holds."""

    def __init__(self, service: Service, address: str) -> None:
        self._service = service
        self._headers = (f"X-Forwarded-For: {address}", "X-Forwarded-Proto: https")
        self._cookie = ""

    def get(self, path: str) -> Answer:
        """Load a page."""
        answer = self._ask(path)
        self._cookie = answer.headers.get("set-cookie", self._cookie).partition(";")[0]
        return answer

    def press(self, path: str, page: Answer, **fields: object) -> Answer:
        """Send the form of a page that was loaded before."""
        form = dict(_HIDDEN.findall(page.body.decode())) | fields
        headers = (
            f"Cookie: {self._cookie}",
            f"Origin: https://{HOST}",
            "Content-Type: application/x-www-form-urlencoded",
        )
        return self._ask(path, *headers, method="POST", body=urlencode(form, doseq=True).encode())

    def sign_up(self, address: str, page: Answer | None = None, **fields: object) -> Answer:
        """Fill in the first page: one topic, as it happens."""
        chosen = {"topics": "1", "keyword": "", "cadence": "1", "hour": "7", "weekday": "0", "zone": "UTC"}
        sent = chosen | {"subject": "neutral", "address": address, "website": ""} | fields
        return self.press("/", page or self.get("/"), **sent)

    def _ask(self, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> Answer:
        sent = (*self._headers, *headers)
        return self._service.ask(path, *sent, method=method, body=body, host=HOST, source=PROXY)


@contextmanager
def whole_service(directory: Path) -> Iterator[WholeService]:
    """The service with a topic, 6,000 items and two people who signed up, confirmed and got an alert of a real feed."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with SmtpCatcher() as smtp, HTTPServer(host="127.0.0.1", port=0) as site:
        site.expect_request("/feed").respond_with_data(_FEED, content_type="application/rss+xml")
        service = Service(
            directory,
            part="run",
            BASE_URL=f"https://{HOST}",
            TRUSTED_PROXY=PROXY,
            METRICS_TOKEN=TOKEN,
            METRICS_BIND="127.0.0.1:{metrics}",
            MAIL_URL=smtp.url,
            FEED_ALLOW=f"127.0.0.1:{site.port}",
            FROM="News <news@example.org>",
            GATHER="0",
        )
        service.command("migrate")
        keywords = json.loads(service.python(_FILL))
        service.command("topics", "add", TOPIC, "--query", TOPIC, "--yes")
        with service.running():
            whole = WholeService(service, smtp, keywords)
            for number, (address, keyword) in enumerate(((READER, "Zzyzx"), (LEAVER, "Taklamakan"))):
                _subscribe(whole, whole.visitor(f"11.0.{number}.1"), address, keyword)
            service.command("feeds", "add", site.url_for("/feed"), "--announce", "all")
            for address in (READER, LEAVER):
                whole.mail_to(address, after=1)
            yield whole


def _subscribe(whole: WholeService, visitor: Visitor, address: str, keyword: str) -> None:
    visitor.sign_up(address, keyword=keyword)
    path = path_in(whole.mail_to(address), "confirm")
    answer = visitor.press(path, visitor.get(path))
    if answer.status != 200:
        raise RuntimeError(f"the confirmation answered {answer.status}")


def path_in(mail: Mail, page: str) -> str:
    """The path of a link in a mail: `confirm`, `unsubscribe`, `ask`, `preferences`."""
    return f"/{page}/" + mail.text.partition(f"/{page}/")[2].split()[0]


def one_click_path(mail: Mail) -> str:
    """The path in a mail's List-Unsubscribe."""
    return urlsplit(str(mail.message["List-Unsubscribe"]).strip("<>")).path


def wait_for(look: Callable[[], T], what: str, *, seconds: float = 90) -> T:
    """What `look` gives as soon as it gives something.

    Raises:
        TimeoutError: it did not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise TimeoutError(f"{what} did not come within {seconds:g} s")
