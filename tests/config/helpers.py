"""A configuration made of defaults and some settings."""

from newsletter.config.config import Config, read_config
from newsletter.config.settings_table import DEFAULTS
from newsletter.lib.crypto import new_keys

SECRET, ADDRESS_KEYS = new_keys()


def config(**values: str) -> Config:
    return read_config({**DEFAULTS, "SECRET_KEY": SECRET, "ADDRESS_KEYS": ADDRESS_KEYS, **values})
