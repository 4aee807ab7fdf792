"""A letter's text in, the same for a mail that may be a second copy, or for one that is surely the first, out."""

import re
from typing import Final

#: Around what is said only in a second copy; `mail.defuse` sees to it that no other text holds these.
BEGIN: Final = "@@nl-second@@"
END: Final = "@@nl-first@@"
_ONLY_THERE = re.compile(f"{BEGIN}(.*?){END}", re.DOTALL)


def settled(text: str, *, second: bool) -> str:
    """The text without the marks; what stands between them stays in a second copy alone."""
    return _ONLY_THERE.sub(r"\1" if second else "", text)
