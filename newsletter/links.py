"""Every address of a page of ours, as a path and as an absolute URL. Tokens are the only secrets in them."""

from collections.abc import Sequence

#: Path of each page that mails link to, by name; `{token}` is filled in.
PATHS = {
    "confirm": "/confirm/{token}",
    "preferences": "/preferences/{token}",
    "ask": "/ask/{token}",
    "unsubscribe": "/unsubscribe/{token}",
    "one_click": "/one-click/{token}",
    "objection": "/objection/{token}",
}


def path(name: str, token: str) -> str:
    """The path of page `name` for `token`."""
    return PATHS[name].format(token=token)


def url(base: str, name: str, token: str) -> str:
    """The absolute URL of page `name`; `base` is NEWSLETTER_BASE_URL, without or with a closing slash."""
    return base.rstrip("/") + path(name, token)


_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_PAIRS_AND_DASH = [f"{pair}-" for pair in _PAIRS]
_SPACE = 1 << 40
#: An odd number: multiplying by it only spreads neighbours apart, it keeps no secret.
_SPREAD = 0x5D_EECE_66D1
_GATHER = pow(_SPREAD, -1, _SPACE)


def reference(delivery_id: int) -> str:
    """The short word at a mail's foot, e.g. `7K3F-09QA-M`: eight Crockford base-32 digits and one to catch typing errors."""
    return references([delivery_id])[0]


def references(delivery_ids: Sequence[int]) -> list[str]:
    """As `reference` for each."""
    pairs, dashed, digits = _PAIRS, _PAIRS_AND_DASH, _DIGITS
    return [
        f"{pairs[one >> 30]}{dashed[one >> 20 & 1023]}{pairs[one >> 10 & 1023]}{dashed[one & 1023]}{digits[one % 31]}"
        for one in [number * _SPREAD % _SPACE for number in delivery_ids]
    ]


def read_reference(text: str) -> int | None:
    """The delivery id behind a reference as a person typed it (any case, O for 0, I or L for 1), or None if it is mistyped."""
    plain = text.upper().translate(str.maketrans("OIL", "011", "- "))
    if len(plain) != 9 or any(digit not in _DIGITS for digit in plain):
        return None
    spread = 0
    for digit in plain[:8]:
        spread = spread << 5 | _DIGITS.index(digit)
    if _DIGITS[spread % 31] != plain[8]:
        return None
    return spread * _GATHER % _SPACE
