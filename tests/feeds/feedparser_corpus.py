"""Runs the test feeds of feedparser's source distribution through our parser: what differs from feedparser, and why.

`make feedparser-corpus`. pip fetches the distribution into a temporary folder; nothing of it stays here.
"""

import io
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import feedparser
from rich.console import Console
from rich.progress import track
from rich.table import Table

from newsletter.feeds.parsing.model import Parsed, ParsedEntry, ParsedFeed
from newsletter.feeds.sandbox import sandboxed_parse

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
URL = "http://feed.example/feed"
REASONS = {
    "guid": "white space inside is collapsed, long ones are stored as a hash",
    "title": "a title is text here, its markup stripped",
    "link": "absolute http and https only; resolved against the site",
    "date": "only since 1995 and up to two days ahead; more forms are read",
    "author": "text without markup",
    "categories": "text without markup, each once",
    "body": "our own allow-list: no images, styles, forms; layout dissolved",
    "count": "another number of entries",
    "refused: entities": "a DOCTYPE that declares entities is refused",
    "refused: no entry": "no feed, or an empty one, for feedparser too",
    "refused: other": "see --list",
}


def main() -> int:
    """Print the table; 1 if anything crashed."""
    console, found = Console(stderr=True), Counter[str]()
    names: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        files = sorted(_downloaded(Path(folder)))
        for path in track(files, "reading", console=console):
            for kind in _differences(path.read_bytes()):
                found[kind] += 1
                names.setdefault(kind, []).append("/".join(path.parts[-3:]))
    table = Table("what", "number", "why")
    for kind, number in sorted(found.items()):
        table.add_row(kind, str(number), REASONS.get(kind.removeprefix("differs: "), ""))
    Console().print(table)
    if "--list" in sys.argv:
        for kind, paths in names.items():
            if kind.startswith(
                (
                    "refused: other",
                    "crash",
                    "differs: link",
                    "differs: date",
                    "differs: au",
                    "differs: guid",
                )
            ):
                Console().print(kind, *paths, sep="\n  ")
    return 1 if found["crashes"] else 0


def _downloaded(folder: Path) -> Iterator[Path]:
    wanted = f"feedparser=={version('feedparser')}"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-binary",
        ":all:",
        "--dest",
        str(folder),
        wanted,
    ]
    subprocess.run(pip, check=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return (path for path in folder.glob("*/tests/**/*") if path.suffix in (".xml", ".json"))


def _differences(body: bytes) -> list[str]:
    served = re.search(rb"Header:\s*Content-type:\s*([^\r\n]+)", body[:2000], re.IGNORECASE)
    content_type = served[1].decode("latin-1").strip() if served else "application/xml"
    ours = sandboxed_parse.parse_in_sandbox(body, url=URL, content_type=content_type, now=NOW)
    out = ["files"]
    headers = {"content-type": content_type, "content-location": URL}
    theirs = feedparser.parse(io.BytesIO(body), response_headers=headers).get("entries") or []
    if not isinstance(ours, ParsedFeed):
        return [*out, _refusal(ours, theirs)]
    out += ["read as feeds"]
    if len(ours.entries) != len(theirs):
        out.append("differs: count")
    for mine, other in zip(ours.entries, theirs, strict=False):
        kinds = [f"differs: {kind}" for kind in _fields(mine, other)]
        out += ["entries", *(kinds or ["entries equal in all fields"])]
    return out


def _refusal(ours: Parsed, theirs: list[Any]) -> str:
    reason = getattr(ours, "reason", "")
    if getattr(ours, "killed", False) or "broke our parser" in reason:
        return "crashes"
    if "entities" in reason:
        return "refused: entities"
    return "refused: other" if theirs else "refused: no entry"


def _fields(mine: ParsedEntry, other: Any) -> Iterator[str]:
    if mine.guid != (other.get("id") or ""):
        yield "guid"
    if mine.title != (other.get("title") or ""):
        yield "title"
    if mine.url != (other.get("link") or ""):
        yield "link"
    stamp = next(
        (dict.get(other, f"{name}_parsed") for name in ("published", "updated", "created") if dict.get(other, name)),
        None,
    )
    said = datetime(*stamp[:6], tzinfo=UTC) if stamp else None
    if mine.published_at != said:
        yield "date"
    if mine.author != (other.get("author") or ""):
        yield "author"
    if mine.categories != tuple(tag["term"] or "" for tag in other.get("tags") or []):
        yield "categories"
    parts = [part["value"] for part in other.get("content") or []] or [other.get("summary") or ""]
    if mine.html != max(parts, key=len):
        yield "body"


if __name__ == "__main__":
    raise SystemExit(main())
