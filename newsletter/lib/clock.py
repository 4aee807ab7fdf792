"""The system's clock, and lengths of time in words. The clock is read at the edges and passed inwards as `now`."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the present time, aware, in UTC."""
    return datetime.now(UTC)


def span(seconds: float | None) -> str:
    """Format seconds in the largest unit that fits: `40 min`, `7 h`, `2 days`; a dash for None."""
    if seconds is None:
        return "-"
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
