"""Where a person reads mails that were written to files."""

from newsletter import wiring


def outbox_place() -> str:
    """The URL of the outbox page; the folder of the files if the settings rule that page out (`web/outbox/access.py`)."""
    config = wiring.config()
    return f"{config.base_url}/outbox/" if config.local_only else str(config.outbox_directory)
