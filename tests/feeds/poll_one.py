"""Poll one feed, as a worker would."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from newsletter.feeds import poll
from newsletter.feeds.sandbox import sandboxed_parse


def poll_one(
    feed_id: int, *, now: datetime, fetcher: Any, parse: Callable[..., Any] = sandboxed_parse.parse_in_sandbox
) -> poll.PollResult:
    """Poll the feed if it is due and its host is free; the status is "not polled" if not."""
    results = list(poll.poll_due(clock=lambda: now, fetcher=fetcher, parse=parse, only=[feed_id]))
    return results[0] if results else poll.PollResult(feed_id, "not polled")
