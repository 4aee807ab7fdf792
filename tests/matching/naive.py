"""The truth about matching, written the slow way from docs/queries.md: every term at every place, letter by letter.

It shares only the tables of equal letters with the engine, and reads its trees.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import regex
import Stemmer

from newsletter.matching.grammar import read
from newsletter.matching.readable import Readable
from newsletter.matching.scripts import no_word, same_letter
from newsletter.matching.sought import Alias
from newsletter.matching.tree import And, Exact, Field, Loose, Near, Not, Or, Phrase, Prefix, Query, Word

IGNORED = regex.compile(
    r"\p{Default_Ignorable_Code_Point}|[\u0640\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4]"
)
IGNORED_TOO = regex.compile(r"[\u06e7\u06e8\u06ea-\u06ed\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]")
NO_SPACES = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
ENGLISH, RUSSIAN, HINDI = (Stemmer.Stemmer(name) for name in ("english", "russian", "hindi"))

Place = tuple[str, int, int]


@dataclass(frozen=True)
class Token:
    """A word: its key, where it stands, its paragraph, and whether a single hyphen ties it to the next."""

    key: str
    start: int
    end: int
    paragraph: int
    tied: bool = False


def ignored(char: str) -> bool:
    return bool(IGNORED.match(char) or IGNORED_TOO.match(char))


def follows(char: str) -> bool:
    return unicodedata.category(char)[0] == "M" or ignored(char) or char in "\uff9e\uff9f"


def letters(text: str) -> list[tuple[str, int, int]]:
    """Each folded character with where it came from."""
    made, at = [], 0
    while at < len(text):
        end = at + 1
        if "\u1100" <= text[at] <= "\u115f":
            while end < len(text) and "\u1100" <= text[end] <= "\u115f":
                end += 1
            while end < len(text) and "\u1160" <= text[end] <= "\u11ff":
                end += 1
        else:
            while end < len(text) and follows(text[end]):
                end += 1
        shown, seen = text[at:end], end
        while seen > at + 1 and ignored(text[seen - 1]):
            seen -= 1
        folded = " " if no_word(shown[0]) else fold(shown)
        made += [(char, at, seen) for char in folded]
        at = end
    return made


def fold(shown: str) -> str:
    shown = "".join(char for char in unicodedata.normalize("NFC", shown) if not ignored(char))
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold())
    return "".join(char for char in folded if not ignored(char)).replace("i\u0307", "i").translate(same_letter())


def kind(char: str) -> str:
    """l: a letter or digit; m: a mark; u: a letter of a script without spaces; otherwise the character."""
    category = unicodedata.category(char)[0]
    if category == "M":
        return "m"
    if category not in "LN":
        return char
    name = unicodedata.name(char, "")
    alone = name.startswith(NO_SPACES) or char in "々〆〇ー" or bool(regex.match(r"\p{Han}", char))
    return "u" if alone else "l"


@lru_cache(maxsize=64)
def tokens(text: str) -> list[Token]:
    chars = letters(text)
    kinds = [kind(char) for char, _, _ in chars]
    made: list[Token] = []
    at = paragraph = 0
    while at < len(chars):
        if kinds[at] == "\n":
            end = at + 1
            while end < len(chars) and chars[end][0].isspace() and chars[end][0] != "\n":
                end += 1
            paragraph += end < len(chars) and chars[end][0] == "\n"
            at += 1
        elif kinds[at] == "u":
            end = at + 1
            while end < len(chars) and kinds[end] == "m":
                end += 1
            made.append(Token("".join(one[0] for one in chars[at:end]), chars[at][1], chars[end - 1][2], paragraph))
            at = end
        elif kinds[at] == "l":
            end, key = word(chars, kinds, at)
            made.append(Token(key, chars[at][1], chars[end - 1][2], paragraph, tied(kinds, end)))
            at = end
        else:
            at += 1
    return made


def tied(kinds: list[str], end: int) -> bool:
    return kinds[end : end + 1] == ["-"] and kinds[end + 1 : end + 2] in (["l"], ["u"])


def word(chars: list[tuple[str, int, int]], kinds: list[str], at: int) -> tuple[int, str]:
    """Where the word that begins here ends, and its key."""

    def at_kind(place: int) -> str:
        return kinds[place] if 0 <= place < len(kinds) else ""

    end = acronym(chars, kinds, at)
    key = "".join(char for char, _, _ in chars[at:end] if char != ".")
    while True:
        while at_kind(end) in ("l", "m"):
            key += chars[end][0]
            end += 1
        if at_kind(end) != "'" or at_kind(end + 1) != "l":
            return end, key
        after_s = end + 2
        inner = at_kind(after_s) in ("l", "m") or (at_kind(after_s) == "'" and at_kind(after_s + 1) == "l")
        if chars[end + 1][0] == "s" and not inner:
            return after_s, key
        if key in ("c", "d", "j", "l", "m", "n", "s", "qu") and end - at == len(key) and elides(chars, kinds, at):
            return end, key
        end += 1


def elides(chars: list[tuple[str, int, int]], kinds: list[str], at: int) -> bool:
    """Not in the middle of something: `d'l'x` has one elision."""
    if at == 0:
        return True
    inner = kinds[at - 1] == "'" and at > 1 and kinds[at - 2] in ("l", "m")
    return kinds[at - 1] not in ("l", "m", "u", "_") and not inner


def acronym(chars: list[tuple[str, int, int]], kinds: list[str], at: int) -> int:
    """The end of letters with a dot after each, two at least, the last with or without; else the beginning."""

    def letter(place: int) -> bool:
        return kinds[place : place + 1] == ["l"] and chars[place][0].isalpha()

    if at and kinds[at - 1] in (".", "'", "-", "_", "l", "u", "m"):
        return at
    end = at
    while letter(end) and kinds[end + 1 : end + 2] == ["."]:
        end += 2
    if end - at < 4:
        return at
    end += letter(end)
    return at if kinds[end : end + 1] and kinds[end] in ("l", "u", "m", "_") else end


@lru_cache(maxsize=100_000)
def stem(key: str) -> str:
    for script, stemmer in (("LATIN", ENGLISH), ("CYRILLIC", RUSSIAN), ("DEVANAGARI", HINDI)):
        if unicodedata.name(key[0], "").startswith(script):
            return stemmer.stemWord(key)
    return key


def spelled(shown: str) -> str:
    shown = regex.sub(r"[’‘ʼʻ′´`＇ʹ׳״'][sSｓＳ]$", "", shown)
    made = unicodedata.normalize("NFKC", shown)
    return "".join(char for char in made if unicodedata.category(char)[0] in "LMN" and not ignored(char))


def bare(key: str) -> str:
    made = ""
    for char in unicodedata.normalize("NFD", key):
        if unicodedata.category(char)[0] == "M" and regex.match(r"[\p{Latin}\p{Greek}\p{Cyrillic}]", made[-1:] or " "):
            continue
        made += char
    special = {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
    return "".join(special.get(char, char) for char in unicodedata.normalize("NFC", made))


class Naive:
    """One item, looked through again for every term."""

    def __init__(self, item: Readable, aliases: Mapping[str, Sequence[Alias]] | None = None) -> None:
        self.aliases = aliases or {}
        self.texts = [("title", item.title), ("text", item.text)]
        self.more = [("source", one) for one in item.sources]
        self.more += [("author", one) for one in item.authors]
        self.more += [("category", one) for one in item.categories]
        self.more += [("lang", item.lang), ("feed", item.feed), ("feed", str(item.feed_id))]

    def matches(self, query: Query) -> set[Place] | None:
        """Every place of every term that the query asks for; None when it is not met."""
        if not self.holds(query):
            return None
        return {place for term in self.asked(query) for place in self.places(term)}

    def holds(self, query: Query) -> bool:
        match query:
            case And(parts):
                return all(map(self.holds, parts))
            case Or(parts):
                return any(map(self.holds, parts))
            case Not(part):
                return not self.holds(part)
        return bool(self.places(query))

    def asked(self, query: Query) -> list[Query]:
        match query:
            case And(parts) | Or(parts):
                return [term for part in parts for term in self.asked(part)]
            case Not():
                return []
        return [query]

    def places(self, term: Query) -> set[Place]:
        found: set[Place] = set()
        if isinstance(term, Field) and term.name != "title":
            texts, inflected, term = [one for one in self.more if one[0] == term.name], False, term.term
        elif isinstance(term, Field):
            texts, inflected, term = self.texts[:1], True, term.term
        else:
            texts, inflected = self.texts, True
        for name, text in texts:
            for first, last in self.ranges(term, text, tokens(text), inflected):
                found.add((name, first.start, last.end))
        if isinstance(term, Word) and inflected:
            others = self.aliases.get(" ".join(term.keys), ())
            if any(list(term.keys) == [one.key for one in tokens(alias.spelling)] for alias in others):
                found = set()
            for alias in others:
                context = [read(one) for one in alias.context]
                if not context or any(self.places_of(one, self.texts) for one in context):
                    found |= self.places_of(read(alias.spelling), texts)
        return found

    def places_of(self, term: Query, texts: list[tuple[str, str]]) -> set[Place]:
        return {
            (name, first.start, last.end)
            for name, text in texts
            for first, last in self.ranges(term, text, tokens(text), True)
        }

    def ranges(self, term: Query, text: str, read: list[Token], inflected: bool) -> Iterator[tuple[Token, Token]]:
        match term:
            case Near(parts, distance):
                yield from self.near(parts, distance, read)
                return
            case Word((key,), _, False) if inflected and kind(key[0]) != "u":
                yield from self.inflected(key, read)
                return
            case Word(keys, True) if inflected:
                yield from self.inflected("".join(keys), read)
        for first in range(len(read)):
            row = read[first : first + len(term.keys)]
            whole = len(row) == len(term.keys) and row[0].paragraph == row[-1].paragraph
            if whole and self.meets(term, [one.key for one in row], [text[one.start : one.end] for one in row]):
                yield row[0], row[-1]

    def meets(self, term: Query, keys: list[str], shown: list[str]) -> bool:
        match term:
            case Word((key,), _, True) | Phrase((key,), True):
                plural = isinstance(term, Word) and keys == [key + "s"] and spelled(shown[0])[len(key) :] == "s"
                return (keys == [key] or plural) and spelled(shown[0])[: len(key)].isupper()
            case Word(wanted) | Phrase(wanted):
                return keys == list(wanted)
            case Prefix(wanted):
                return keys[:-1] == list(wanted[:-1]) and keys[-1].startswith(wanted[-1])
            case Exact(wanted, spelling):
                return keys == list(wanted) and list(map(spelled, shown)) == list(spelling)
            case Loose(wanted):
                return [bare(key) for key in keys] == list(wanted)
        raise AssertionError(term)

    def inflected(self, key: str, read: list[Token]) -> Iterator[tuple[Token, Token]]:
        for token in read:
            if stem(token.key) == stem(key):
                yield token, token
        at = 0
        while at < len(read):
            end = at
            while read[end].tied:
                end += 1
            if end > at and stem("".join(one.key for one in read[at : end + 1])) == stem(key):
                yield read[at], read[end]
            at = end + 1

    def near(self, parts: Sequence[Sequence[str]], distance: int, read: list[Token]) -> Iterator[tuple[Token, Token]]:
        places = [
            [
                (at, at + len(part) - 1)
                for at in range(len(read))
                if [one.key for one in read[at : at + len(part)]] == list(part)
                and read[at].paragraph == read[at + len(part) - 1].paragraph
            ]
            for part in parts
        ]
        words = sum(map(len, parts))
        for chosen in product(*places):
            first, last = min(one[0] for one in chosen), max(one[1] for one in chosen)
            if read[first].paragraph == read[last].paragraph and last - first + 1 - words <= distance:
                for start, end in chosen:
                    yield read[start], read[end]
