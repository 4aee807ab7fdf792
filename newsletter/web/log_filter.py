"""Tokens stand in paths, and Django logs the path of every answer from 400 upwards: this keeps them out of the log."""

import logging

_LOGGERS = ("django.request", "django.security.csrf")


class _RouteInsteadOfPath(logging.Filter):
    """Replaces the path in a record by the pattern of its address, which holds no token."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = record.__dict__.pop("request", None)
        path = getattr(request, "path", None)
        if path is not None and isinstance(record.args, tuple):
            match = getattr(request, "resolver_match", None)
            shown = f"/{match.route}" if match is not None else "(no such page)"
            record.args = tuple(shown if isinstance(arg, str) and arg.startswith("/") else arg for arg in record.args)
        return True


def keep_paths_out() -> None:
    """Put the filter on Django's loggers, once."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(existing, _RouteInsteadOfPath) for existing in logger.filters):
            logger.addFilter(_RouteInsteadOfPath())
