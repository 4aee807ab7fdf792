"""Every setting in effect, with where it comes from; secrets only as set or not set."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.config.settings_table import PREFIX, SETTINGS

#: A link in Markdown, with its words.
_LINK = re.compile(r"\[([^]]+)]\([^)]+\)")
#: Made at the first start and read from data/keys, unless the environment has them.
_KEYS = ("SECRET_KEY", "ADDRESS_KEYS")
#: Addresses that are nobody else's business.
_COUNTED = ("RECIPIENT_ALLOW",)


@dataclass(frozen=True)
class SettingInEffect:
    """A setting: `origin` is environment, file or default; `value` of a secret is "set" or "not set"."""

    name: str
    value: str
    origin: str
    meaning: str


def settings_in_effect(values: Mapping[str, str], environ: Mapping[str, str]) -> tuple[SettingInEffect, ...]:
    """Return all settings by name; `values` are those that `read_environment` made of `environ`."""
    return tuple(
        SettingInEffect(PREFIX + name, _shown(name, values[name]), _origin(name, environ), _plain(name))
        for name in SETTINGS
    )


def _shown(name: str, value: str) -> str:
    if SETTINGS[name].secret:
        return "set" if value and value != SETTINGS[name].default else "not set"
    return f"{len(value.replace(',', ' ').split())} set" if name in _COUNTED and value else value


def _plain(name: str) -> str:
    """What it means, without the marks of docs/configuration.md."""
    return _LINK.sub(r"\1", SETTINGS[name].meaning).replace("`", "")


def _origin(name: str, environ: Mapping[str, str]) -> str:
    if environ.get(PREFIX + name, "").strip():
        return "environment"
    if name in _KEYS or environ.get(f"{PREFIX}{name}_FILE"):
        return "file"
    return "default"
