"""Which time zones a person may live by: places of the IANA database, not its abbreviations and internal names."""

from functools import cache
from zoneinfo import available_timezones

#: First parts of the names of places (https://www.iana.org/time-zones). `Etc/GMT+5` and `SystemV/…` are none.
_AREAS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
    | {"Brazil", "Canada", "Chile", "Mexico", "US"}
)


def is_place(name: str) -> bool:
    """True for `Area/City` names such as `Asia/Almaty`, and for `UTC`.

    Not for `localtime`, `Factory`, `EST5EDT` or `Etc/GMT+5`: what they mean depends on the machine, or never follows summer time.
    """
    return name in _places()


@cache
def _places() -> frozenset[str]:
    return frozenset(name for name in available_timezones() if name.partition("/")[0] in _AREAS and "/" in name) | {
        "UTC"
    }
