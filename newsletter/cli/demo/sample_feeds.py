"""The demo's feeds: sample posts in, RSS, Atom, JSON Feed and a compiled digest out, dated as if they were new."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Any

from newsletter.lib import yaml_loader

#: Path → (title, content type, how it is written).
PATHS = {
    "briefs": ("/briefs.xml", "application/rss+xml"),
    "world": ("/world.atom", "application/atom+xml"),
    "notes": ("/notes.json", "application/feed+json"),
    "weekly": ("/weekly.xml", "application/rss+xml"),
}
_SITE = "https://digest.example"


def posts() -> dict[str, list[dict[str, Any]]]:
    """All sample posts by feed, each feed's newest first."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in PATHS}
    for number, post in enumerate(yaml_loader.load((Path(__file__).parent / "posts.yaml").read_text(encoding="utf-8"))):
        found[post["feed"]].append({"lang": "en", "tags": [], **post, "id": f"{_SITE}/?p={1000 + number}"})
    return found


def write(name: str, chosen: Sequence[dict[str, Any]], now: datetime) -> str:
    """The feed `name` with the posts `chosen`, the first of them written at `now`."""
    dated = [(post, now - timedelta(hours=3 * place)) for place, post in enumerate(chosen)]
    match name:
        case "world":
            return _atom(dated)
        case "notes":
            return _json(dated)
        case "weekly":
            return _rss([_compiled(chosen, now)], "Weekly digest")
        case _:
            return _rss([_rss_item(post, at) for post, at in dated], "Briefs")


def _html(post: dict[str, Any]) -> str:
    """A post's text as its site would write it, closing with its source line."""
    parts = [_block(block.strip()) for block in post["text"].strip().split("\n\n")]
    label = post["sources"][0].get("label", "Source:")
    sources = []
    for source in post["sources"]:
        day = f", {source['day']}" if source["day"] else ""
        url = escape(source["url"])
        sources.append(f'{escape(source["name"])}{day}<br><a href="{url}">{url}</a>')
    return "\n".join([*parts, f"<p>{label} {'<br>'.join(sources)}</p>"])


def _block(block: str) -> str:
    lines = block.splitlines()
    if block.startswith("<"):
        return f'{block}<script>alert(1)</script><img src="{_SITE}/pixel.gif" alt="">'
    if block.startswith("| "):
        rows = ("".join(f"<td>{cell.strip()}</td>" for cell in line.strip("| ").split("|")) for line in lines)
        return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
    if block.startswith("- "):
        return "<ul>" + "".join(f"<li>{line[2:]}</li>" for line in lines) + "</ul>"
    return f"<p>{block.replace(chr(0x2019), '&#8217;')}</p>"


def _rss_item(post: dict[str, Any], at: datetime) -> str:
    tags = "".join(f"<category><![CDATA[{tag}]]></category>" for tag in post["tags"])
    return (
        f"<item><title>{escape(post['title'])}</title><link>{post['id']}</link><dc:creator>LLD</dc:creator>"
        f"<pubDate>{format_datetime(at)}</pubDate>{tags}<guid isPermaLink='false'>{post['id']}</guid>"
        f"<description><![CDATA[<p>{post['text'][:120]} [&#8230;]</p>]]></description>"
        f"<content:encoded><![CDATA[{_html(post)}]]></content:encoded></item>"
    )


def _compiled(chosen: Sequence[dict[str, Any]], at: datetime) -> str:
    html = "<p>What the week brought, in one post.</p>" + "".join(
        f"<h3>{escape(post['title'])}</h3>\n{_html(post)}" for post in chosen
    )
    return (
        f"<item><title>Weekly digest</title><link>{_SITE}/weekly</link><guid>{_SITE}/weekly</guid>"
        f"<pubDate>{format_datetime(at)}</pubDate><content:encoded><![CDATA[{html}]]></content:encoded></item>"
    )


def _rss(items: Sequence[str], title: str) -> str:
    spaces = 'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" {spaces}><channel><title>{title} – The Example Digest</title>'
        f"<link>{_SITE}</link><description></description><language>en</language>{''.join(items)}</channel></rss>"
    )


def _atom(dated: Sequence[tuple[dict[str, Any], datetime]]) -> str:
    entries = "".join(
        f'<entry xml:lang="{post["lang"]}"><title>{escape(post["title"])}</title><id>{escape(post["id"])}</id>'
        f'<link href="{escape(post["id"])}"/><updated>{at.isoformat()}</updated>'
        f'<content type="html">{escape(_html(post))}</content></entry>'
        for post, at in dated
    )
    newest = dated[0][1].isoformat() if dated else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        "<title>World – The Example Digest</title>"
        f"<id>{_SITE}/world</id><updated>{newest}</updated>{entries}</feed>"
    )


def _json(dated: Sequence[tuple[dict[str, Any], datetime]]) -> str:
    items = [
        {
            "id": post["id"],
            "url": post["id"],
            "title": post["title"],
            "content_html": _html(post),
            "date_published": at.isoformat(),
            "tags": post["tags"],
        }
        for post, at in dated
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Notes – The Example Digest",
        "home_page_url": _SITE,
    }
    return json.dumps({**feed, "items": items}, ensure_ascii=False)
