"""A newsletter and keyword-alert delivery service."""

__version__ = "0.1.0"
