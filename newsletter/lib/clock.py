"""The system's clock: aware UTC, read at the edges and passed inwards as `now`."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
