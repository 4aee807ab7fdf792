"""Where a person reads mails that were written to files."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from newsletter import wiring


def outbox_place() -> str:
    """The URL of the outbox page; the folder of the files if the settings rule that page out (`web/outbox/access.py`)."""
    config = wiring.config()
    local = is_this_machine(config.bind[0]) and is_this_machine(urlsplit(config.base_url).hostname or "")
    if local and not config.trusted_proxy:
        return f"{config.base_url}/outbox/"
    return str(config.data_dir / "outbox")


def is_this_machine(host: str) -> bool:
    """Whether a host's name or address is one of the loopback interface."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
