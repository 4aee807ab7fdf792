"""Split text into the tokens by which an edit is classified: names, numbers, negations, articles, and what is quoted."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import regex

_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″〝〞「」『』＂", '"'),
        **dict.fromkeys("‘’‚‛′`´ʻʼ", "'"),
        **dict.fromkeys("‐‑‒–—―−﹘", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u0640"),
    }
)
#: Vowel signs that Arabic and Hebrew writers may leave out.
_POINTS = regex.compile(r"(?V1)[\p{Arabic}\p{Hebrew}\u064b-\u065f&&\p{Mn}]")
_CONTRACTIONS = (
    (regex.compile(r"\b(ca)n't\b|\bcannot\b", regex.I), "can not"),
    (regex.compile(r"\bwon't\b", regex.I), "will not"),
    (regex.compile(r"n't\b", regex.I), " not"),
)
_DENSE = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_TOKEN = regex.compile(
    rf"(?V1)(?P<quote>\")|(?P<end>[.!?。！？؟۔:…])|(?P<number>\p{{Nd}}+(?:[.,:/]\p{{Nd}}+)*|[\p{{Sc}}%‰°])"
    rf"|(?P<word>[{_DENSE}]\p{{M}}*|[[\p{{L}}]--[{_DENSE}]][[\p{{L}}\p{{M}}]--[{_DENSE}]]*(?:'[[\p{{L}}]--[{_DENSE}]]+)*)"
)


def _words(*rows: str) -> frozenset[str]:
    return frozenset(word for row in rows for word in row.split())


_NEGATIONS = _words(
    "no not never nobody nothing none neither nor without deny denies denied refuse refuses refused",
    "nicht kein keine keinen keiner keinem nie niemals niemand ohne",
    "pas ne jamais sans aucun aucune rien nunca sin nadie ninguno ninguna não nem sem",
    "не нет ни без никогда никто ничего немає لا لم لن ليس ليست غير بدون",
)
#: Articles: one more or less changes no meaning. Without those that are other words elsewhere (German `die`, Italian `i`).
_SMALL = _words("a an the der das dem ein eine le la les un une el los las")
#: Numbers in words, by their digits; a row begins with zero.
_ROWS = (
    "zero one two three four five six seven eight nine ten eleven twelve",
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "zéro _ deux trois quatre cinq six sept huit neuf dix onze douze",
    "cero _ dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать",
    "_ first second third fourth fifth sixth seventh eighth ninth tenth",
)
_NUMBERS = {
    **{word: str(number) for row in _ROWS for number, word in enumerate(row.split()) if word != "_"},
    **{
        word: word
        for word in _words("hundred thousand million billion trillion half twice dozen тысяч миллион миллиард")
    },
}


@dataclass(frozen=True, slots=True)
class EditToken:
    """A word, and whether it stands in a quotation.

    `key` is what is compared; `kind` is name, capital (it may be a name, or only begins a sentence), number, negation, small
    or word.
    """

    key: str
    kind: str
    quoted: bool
    shown: str


def fold_typography(text: str) -> str:
    """Return `text` without typography: case, width, kinds of quotes, dashes and apostrophes, invisible marks."""
    plain = unicodedata.normalize("NFKC", text.translate(_TYPOGRAPHY)).translate(_TYPOGRAPHY)
    return _POINTS.sub("", plain).casefold()


def common_words(paragraphs: Iterable[str]) -> frozenset[str]:
    """Return the words that stand somewhere without a capital: at the beginning of a sentence they are no names."""
    words = (match["word"] for text in paragraphs for match in _TOKEN.finditer(_plain(text)) if match["word"])
    return frozenset(word for word in words if word.islower()) | _SMALL | _NEGATIONS


def tokens(paragraph: str, common: frozenset[str], *, capitals: bool = True) -> list[EditToken]:
    """Return the words of a paragraph. `capitals` False: it is a headline in capitals, so a capital makes no name."""
    plain = _plain(paragraph)
    # an odd number of marks is an inch or a typing error: nothing is known about quotations then
    quotes = plain.count('"') % 2 == 0
    return list(_read(plain, common, quotes=quotes, capitals=capitals))


def is_in_capitals(headline: str) -> bool:
    """Return True if most words of a headline begin with a capital, so that capitals say nothing."""
    words = [match["word"] for match in _TOKEN.finditer(_plain(headline)) if match["word"] and len(match["word"]) > 3]
    return len(words) > 1 and sum(word[0].isupper() for word in words) > 0.6 * len(words)


def _plain(text: str) -> str:
    plain = _POINTS.sub("", unicodedata.normalize("NFKC", text.translate(_TYPOGRAPHY)).translate(_TYPOGRAPHY))
    for pattern, words in _CONTRACTIONS:
        plain = pattern.sub(words, plain)
    return plain


def _read(plain: str, common: frozenset[str], *, quotes: bool, capitals: bool) -> Iterator[EditToken]:
    quoted, begins = False, True
    for match in _TOKEN.finditer(plain):
        if match["quote"]:
            quoted = quotes and not quoted
        elif match["end"]:
            begins = True
        elif match["number"]:
            yield EditToken(_number(match["number"]), "number", quoted, match[0])
            begins = False
        else:
            key = match["word"].casefold()
            if key in _NUMBERS:
                yield EditToken(_NUMBERS[key], "number", quoted, match[0])
            else:
                key = key.removesuffix("'s") if key.endswith("'s") else key
                yield EditToken(
                    key, _kind(match["word"], key, common, begins=begins, capitals=capitals), quoted, match[0]
                )
            begins = False


def _number(written: str) -> str:
    """Return a number as it is compared: ASCII digits, no separators of thousands."""
    plain = "".join(str(unicodedata.decimal(char, char)) for char in written)
    return plain.replace(",", "") if regex.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", plain) else plain


def _kind(word: str, key: str, common: frozenset[str], *, begins: bool, capitals: bool) -> str:
    if key in _NEGATIONS:
        return "negation"
    if key in _SMALL:
        return "small"
    if word.upper() == word.lower():  # a script without capitals: any word may be a name
        return "name"
    if not word[0].isupper() or not capitals or (key in common and begins):
        return "word"
    return "capital" if begins else "name"
