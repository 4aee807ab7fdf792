"""The system's clock. It is read at the edges and passed inwards as `now`."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the present time, aware, in UTC."""
    return datetime.now(UTC)
