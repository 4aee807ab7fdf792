"""The reference at a mail's foot, by which its reader can ask about it: the delivery's id, encrypted.

Only the keys recover the id: somebody with one mail and a copy of the database cannot tell whose mail it is.
"""

from collections.abc import Sequence
from typing import Final

from newsletter.lib.crypto import Vault

_PURPOSE: Final = "reference"
#: Crockford's base 32: no letters that look like digits, and no U.
_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = [high + low for high in _DIGITS for low in _DIGITS]
_PAIRS_AND_DASH: Final = [f"{pair}-" for pair in _PAIRS]
#: The largest prime below 32²: the check digits detect every wrong digit and every two that were swapped.
_CHECK: Final = 1021
_AS_TYPED: Final = str.maketrans("OIL", "011", "- ")


def reference(delivery_id: int, vault: Vault) -> str:
    """Return the reference of a mail, e.g. `7K3F-09QA-M2`: eight digits and two check digits. Ids are below 2^40."""
    return references([delivery_id], vault)[0]


def references(delivery_ids: Sequence[int], vault: Vault) -> list[str]:
    """As `reference` for each."""
    pairs, dashed = _PAIRS, _PAIRS_AND_DASH
    return [
        f"{pairs[n >> 30]}{dashed[n >> 20 & 1023]}{pairs[n >> 10 & 1023]}{dashed[n & 1023]}{pairs[n % _CHECK]}"
        for n in vault.permute(_PURPOSE, delivery_ids)
    ]


def read_reference(text: str, vault: Vault) -> int | None:
    """Return the delivery id of a reference as typed (any case, O for 0, I or L for 1), or None if it is mistyped."""
    plain = text.upper().translate(_AS_TYPED)
    if any(digit not in _DIGITS for digit in plain):
        return None
    if len(plain) == 9:
        return _read_unkeyed(_number(plain[:8]), _DIGITS.index(plain[8]))
    if len(plain) != 10 or _number(plain[:8]) % _CHECK != _number(plain[8:]):
        return None
    return vault.unpermute(_PURPOSE, [_number(plain[:8])])[0]


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number << 5 | _DIGITS.index(digit)
    return number


def _read_unkeyed(spread: int, check: int) -> int | None:
    """Read a reference of nine digits, as mails had before references were encrypted."""
    space = 1 << 40
    return spread * pow(0x5D_EECE_66D1, -1, space) % space if spread % 31 == check else None
