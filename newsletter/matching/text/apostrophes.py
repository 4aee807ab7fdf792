"""Apostrophes in: those left that belong to a word, as readers of its script read it; the others become spaces."""

import regex

from newsletter.matching.text.scripts import INSIDE, LETTER

_VOWEL = "[aeiouyhàáâèéêëìíîïòóôùúûüœæ]"
#: What loses its vowel before any word (French, Catalan, Italian), and what does so before a vowel only: longer ones, and those
#: of Luganda, Kirundi and Kinyarwanda. Not t' (T'ien), g' (Uzbek g'alaba) or ng' (Swahili ng'ombe): these are letters.
_BEFORE_ALL = "[cdjlmns]|qu"
_BEFORE_VOWELS = (
    "jusqu|lorsqu|puisqu|quoiqu|quelqu|presqu|entr|"
    "d?all|dell|nell|sull|coll|un|nessun|ciascun|alcun|quest|quell|(?:a|de|da|ne|su)?gl|tutt|sant|anch|senz|bell|mezz|"
    "[bkwyz]|[bgklmrtz]w|[bcmrtv]y|nk"
)
_START = r"(?<![\w'\x02])"
_ELISION = regex.compile(
    rf"(?V1)'(?<={_START}(?:{_BEFORE_ALL})')(?!s(?!{INSIDE}|'))|'(?<={_START}(?:{_BEFORE_VOWELS})')(?={_VOWEL})"
)
#: Ends of words that are no part of them: possessives, contracted verbs (Huawei'll), the article of Welsh (Cymru'r).
ENDING = regex.compile(rf"(?V1)'(?:s|(?<={INSIDE}{{3}}')(?:ll|re|ve|[dmnr]))(?!{INSIDE}|['\x02])")
_LOOSE = regex.compile(rf"(?V1)'(?:(?!{LETTER})|(?<!(?:{INSIDE}|\x02)'))")
#: In Ethiopic scripts it stands between words that are drawn together.
_ETHIOPIC = regex.compile(r"(?<=\p{Ethiopic}\p{M}*)'")
#: The gershayim of an acronym, typed as a quotation mark: before its last letter, or after two and more. After one letter it is
#: a quotation mark: a preposition and a quoted name.
_HEBREW = r"[\u05d0-\u05ea]"
_GERSHAYIM = regex.compile(rf'(?<={_HEBREW}{{2}})"(?={_HEBREW})|(?<={_HEBREW})"(?={_HEBREW}(?!{_HEBREW}))')
#: A word in single quotation marks after a preposition of one letter.
_QUOTED = regex.compile(r"(?<=(?<![\w'])[\u05d1\u05d4\u05db\u05dc\u05de\u05e9])'(?=[\u05d0-\u05ea]{2})")


def normalize_apostrophes(folded: str) -> str:
    """The same text, as long as it was."""
    if not folded.isascii():
        if '"' in folded:
            folded = _GERSHAYIM.sub("'", folded)
        folded = _QUOTED.sub(" ", _ETHIOPIC.sub(" ", folded))
    return _ELISION.sub(" ", _LOOSE.sub(" ", folded)) if "'" in folded else folded


def protect_gershayim(typed: str) -> str:
    """A query in which they are no quotation marks."""
    return _GERSHAYIM.sub("\u05f4", typed)
