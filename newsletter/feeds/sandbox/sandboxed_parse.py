"""Parse a feed in a child process that may be killed: no feed can hang a worker, use up its memory or see its secrets."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from time import monotonic

from newsletter.feeds.parsing.model import Parsed, ParseFailed, from_json
from newsletter.feeds.sandbox.fork_server import ForkServerDied, fork_server
from newsletter.feeds.sandbox.fork_server_main import MEMORY


@dataclass(frozen=True)
class Limits:
    """What one parse may use: seconds of wall and of processor time, bytes of address space."""

    wall: float = 20.0
    cpu: int = 10
    memory: int = 512 * 1024 * 1024


def parse_in_sandbox(
    body: bytes,
    *,
    url: str,
    content_type: str = "",
    now: datetime,
    fingerprints: bytes = b"",
    limits: Limits = Limits(),
) -> Parsed:
    """Parse `body`, read from `url`, in a child (see `parse_feed.parse`). Takes a few milliseconds more than parsing itself."""
    request = {
        "url": url,
        "content_type": content_type,
        "now": now.isoformat(),
        "fingerprints": fingerprints.hex(),
        "limits": asdict(limits),
    }
    began = monotonic()
    try:
        answer = fork_server().ask(json.dumps(request).encode() + b"\n" + body, seconds=limits.wall + 5)
    except TimeoutError:
        answer = b""
    except ForkServerDied:
        return ParseFailed("no child could be started to read it: look at the memory and processes of this machine")
    if not answer:
        late = monotonic() - began >= limits.wall
        return ParseFailed(
            f"reading it took longer than {limits.wall:g} seconds: remove it, if it goes on"
            if late
            else f"reading it took more than {limits.cpu} seconds of work, or crashed: remove it, if it goes on",
            killed=True,
        )
    if answer == MEMORY:
        megabytes = limits.memory // 1_000_000
        return ParseFailed(f"reading it took more than {megabytes} MB of memory: remove it, if it goes on", killed=True)
    try:
        return from_json(json.loads(answer))
    except (KeyError, TypeError, ValueError):
        return ParseFailed("reading it gave nonsense: please report this")
