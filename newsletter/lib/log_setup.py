"""Set up logging: lines of JSON with the fields of an allow-list only, so that no address gets in."""

import logging
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

#: Ids, counts, states, and reasons that we word ourselves.
ALLOWED = frozenset(
    {
        "accepted", "attempt", "batch_id", "batches", "bytes", "changed", "deferred", "doubtful", "entries", "error",
        "event", "events", "feed_id", "fetches", "gathering_id", "given_back", "items", "level", "logger", "matches",
        "message_id", "ms", "new", "paused", "proved", "provider", "reason", "refused", "repeated", "request_id", "rows",
        "rule", "stage", "state", "status", "strangers", "suppressed", "task", "timestamp", "topic_id", "unknown", "version",
    }
)  # fmt: skip


def drop_unlisted_fields(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Drop every field that is not in `ALLOWED`."""
    return {name: value for name, value in event.items() if name in ALLOWED}


def configure(level: str) -> None:
    """Set up structlog and the standard library's logging. `level` is DEBUG, INFO, WARNING or ERROR."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                drop_unlisted_fields,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    silence_libraries()


def silence_libraries() -> None:
    """Raise the level of libraries that would log keys, addresses or paths with tokens, or a line every second."""
    for name in (
        "python_http_client",
        "django.request",
        "django.server",
        "django.db.backends",
        "httpx2",
        "httpcore2",
        "waitress",
    ):
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in ("celery", "kombu", "fido2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("kombu.connection").setLevel(logging.ERROR)
    trace = logging.getLogger("celery.app.trace")
    if not any(isinstance(filter_, _HideExceptionText) for filter_ in trace.filters):
        trace.addFilter(_HideExceptionText())


class _HideExceptionText(logging.Filter):
    """Removes the text of exceptions from Celery's lines: it may hold a row's values, or an address."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, dict) and "exc" in record.args:
            kind = record.exc_info[0] if record.exc_info else None
            record.args = record.args | {"exc": kind.__name__ if kind else "an exception", "traceback": ""}
        return True
