"""Marks in a letter's text: placeholders for each person's own values, and words that only a second copy shows."""

import re
from typing import Final

#: The page to unsubscribe, the page that mails a fresh preferences link, the mail's reference, and a notice's own page.
PLACEHOLDERS: Final = ("unsubscribe", "ask", "reference", "link")
#: A placeholder in text; its group is the name.
PATTERN: Final = re.compile(rf"@@nl-({'|'.join(PLACEHOLDERS)})@@")
#: Begin and end of words that only a second copy shows. `defuse` keeps these marks out of all other text.
SECOND_COPY_BEGIN: Final = "@@nl-second@@"
SECOND_COPY_END: Final = "@@nl-first@@"
#: WORD JOINER: has no width and forbids a line break.
JOINER: Final = "\u2060"

_SECOND_COPY = re.compile(f"{SECOND_COPY_BEGIN}(.*?){SECOND_COPY_END}", re.DOTALL)
_ENCODED_WORD = re.compile(r"=\?(?=[^\s?]*\?[bBqQ]\?)")


def placeholder(name: str) -> str:
    """Return the mark that stands in a letter for the personal value `name`, one of `PLACEHOLDERS`."""
    if name not in PLACEHOLDERS:
        raise ValueError(f"{name} is not one of {', '.join(PLACEHOLDERS)}")
    return f"@@nl-{name}@@"


def placeholders_in(text: str) -> tuple[str, ...]:
    """Return the names of the placeholders in a text, in order of first appearance."""
    return tuple(dict.fromkeys(PATTERN.findall(text)))


def defuse(text: str) -> str:
    """Change untrusted text so that it contains neither a placeholder nor an encoded word (RFC 2047)."""
    return _ENCODED_WORD.sub(f"={JOINER}?", text.replace("@@nl-", f"@{JOINER}@nl-"))


def resolve_second_copy(text: str, *, second: bool) -> str:
    """Remove the second-copy marks, and the words between them unless this is a second copy."""
    return _SECOND_COPY.sub(r"\1" if second else "", text)
