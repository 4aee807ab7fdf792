"""The truth about matching, written the slow way from docs/queries.md: every term at every place, letter by letter.

It shares only the tables of equal letters with the engine, and reads its trees.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise, product

import regex
import Stemmer

from newsletter.matching.engine.document import Document
from newsletter.matching.query.compiled import Alias
from newsletter.matching.query.nodes import (
    AccentInsensitive,
    And,
    BareWord,
    Exact,
    FieldTerm,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
)
from newsletter.matching.query.parser import read_query
from newsletter.matching.text.scripts import is_symbol, letter_variants

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
        folded = " " if is_symbol(shown[0]) else fold(shown)
        made += [(char, at, seen) for char in folded]
        at = end
    return made


def fold(shown: str) -> str:
    shown = "".join(char for char in unicodedata.normalize("NFC", shown) if not ignored(char))
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold())
    return "".join(char for char in folded if not ignored(char)).replace("i\u0307", "i").translate(letter_variants())


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
    signs = [char for char, _, _ in chars]
    kinds = [kind(char) for char in signs]
    settle_apostrophes(signs, kinds)
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
            end, key = word(text, chars, kinds, at)
            made.append(Token(key, chars[at][1], chars[end - 1][2], paragraph, tied(kinds, end)))
            at = end
        else:
            at += 1
    return made


def tied(kinds: list[str], end: int) -> bool:
    return kinds[end : end + 1] == ["-"] and kinds[end + 1 : end + 2] in (["l"], ["u"])


ELIDED = {"c", "d", "j", "l", "m", "n", "s", "qu"}
BEFORE_VOWELS = """
    jusqu lorsqu puisqu quoiqu quelqu presqu entr all dall dell nell sull coll un nessun ciascun alcun quest quell gl agl degl
    dagl negl sugl tutt sant anch senz bell mezz b k w y z bw gw kw lw mw rw tw zw by cy my ry ty vy nk
"""


def hebrew(char: str) -> bool:
    return "\u05d0" <= char <= "\u05ea"


def settle_apostrophes(signs: list[str], kinds: list[str]) -> None:
    """Let only those be apostrophes that are parts of words, as docs/queries.md says of each script."""

    def run(at: int, step: int) -> int:
        length = 0
        while 0 <= at < len(signs) and hebrew(signs[at]):
            at, length = at + step, length + 1
        return length

    def put(found: list[int], kind: str) -> None:
        for at in found:
            kinds[at] = kind

    def word_before(at: int) -> str:
        """Letters right before, if nothing of a word stands before them."""
        start = at
        while start and kinds[start - 1] in ("l", "m"):
            start -= 1
        before = kinds[start - 1] if start else " "
        whole = before in ("'", "u", "_") or (before == "." and inside_acronym(kinds, signs, start - 1))
        return "" if whole else "".join(signs[start:at])

    quotes = [(at, run(at - 1, -1), run(at + 1, 1)) for at, sign in enumerate(signs) if sign == '"']
    put([at for at, before, after in quotes if after and (before > 1 or before == after == 1)], "'")
    marks = [at for at, one in enumerate(kinds) if one == "'"]
    letter = {at: next((signs[one] for one in range(at - 1, -1, -1) if kinds[one] != "m"), " ") for at in marks}
    put([at for at in marks if "ETHIOPIC" in unicodedata.name(letter[at], "") and kinds[at - 1] in ("l", "m")], " ")
    put(
        [at for at in marks if word_before(at) in tuple("\u05d1\u05d4\u05db\u05dc\u05de\u05e9") and run(at + 1, 1) > 1],
        " ",
    )
    marks = [at for at in marks if kinds[at] == "'"]
    dots = {at for at, one in enumerate(kinds) if one in (".", ",") and inside_acronym(kinds, signs, at)}
    loose = [
        at
        for at in marks
        if kinds[at + 1 : at + 2] != ["l"] or not at or (kinds[at - 1] not in ("l", "m") and at - 1 not in dots)
    ]
    put(loose, " ")
    elided = []
    for at in set(marks) - set(loose):
        last = signs[at + 1] == "s" and kinds[at + 2 : at + 3] not in (["l"], ["m"], ["'"])
        vowel = unicodedata.normalize("NFD", signs[at + 1])[0] in "aeiouyh" and signs[at + 1].isascii()
        vowel = vowel or signs[at + 1] in "àáâèéêëìíîïòóôùúûüœæ"
        before = word_before(at)
        if (before in ELIDED and not last) or (before in BEFORE_VOWELS.split() and vowel):
            elided.append(at)
    put(elided, " ")


def inside_acronym(kinds: list[str], signs: list[str], at: int) -> bool:
    """Whether a sign is a dot of an acronym, which makes a word go on."""
    chars = [(sign, 0, 0) for sign in signs]
    return any(start <= at < acronym(chars, kinds, start) for start in range(at))


ENDINGS = ("ll", "re", "ve", "d", "m", "n", "r")


def word(text: str, chars: list[tuple[str, int, int]], kinds: list[str], at: int) -> tuple[int, str]:
    """Where the word that begins here ends, and its key."""

    def at_kind(place: int) -> str:
        return kinds[place] if 0 <= place < len(kinds) else ""

    def ends(place: int) -> bool:
        return at_kind(place) not in ("l", "m", "'")

    if signed := letter_with_signs(chars, kinds, at):
        return at + len(signed), signed
    end = max(acronym(chars, kinds, at), number(text, chars, kinds, at))
    key = "".join(char for char, _, _ in chars[at:end] if char not in "., ")
    while True:
        while at_kind(end) in ("l", "m"):
            key += chars[end][0]
            end += 1
        if at_kind(end) != "'" or at_kind(end + 1) != "l":
            return end, key
        if chars[end + 1][0] == "s" and ends(end + 2):
            return end + 2, key
        if end - at >= 3 and all(at_kind(end - back) in ("l", "m") for back in (1, 2, 3)):
            for ending in ENDINGS:
                stop = end + 1 + len(ending)
                if "".join(one[0] for one in chars[end + 1 : stop]) == ending and ends(stop):
                    return stop, key
        end += 1


def follows_word(kinds: list[str], at: int) -> bool:
    while at and kinds[at - 1] == "m":
        at -= 1
    return at > 0 and kinds[at - 1] in ("l", "_", "'")


def letter_with_signs(chars: list[tuple[str, int, int]], kinds: list[str], at: int) -> str:
    """C++ and C#, where no word is before the letter."""
    signs = "".join(one[0] for one in chars[at + 1 : at + 4])
    marked = [place for place in (2, 3) if kinds[at + place : at + place + 1] == ["m"]]
    if marked and (marked[0] == 2 or signs.startswith("++")):
        return ""
    if not "a" <= chars[at][0] <= "z" or follows_word(kinds, at):
        return ""
    if signs.startswith("#"):
        return chars[at][0] + "#"
    return chars[at][0] + "++" if signs.startswith("++") and signs != "+++" else ""


def number(text: str, chars: list[tuple[str, int, int]], kinds: list[str], at: int) -> int:
    """The end of a number whose digits are grouped; else the beginning."""

    def digits(place: int) -> int:
        end = place
        while end < len(chars) and "0" <= chars[end][0] <= "9":
            end += 1
        return end - place

    def sign(place: int) -> str:
        if place >= len(chars):
            return ""
        spaces = text[chars[place][1]] in "\xa0\u2009\u202f" and digits(place + 1) == 3
        shown = text[chars[place - 1][1]] + text[chars[place + 1][1] : chars[place + 1][1] + 3] if spaces else ""
        return "," if shown.isascii() and shown.isdigit() and len(shown) == 4 else chars[place][0]

    if at and (follows_word(kinds, at) or sign(at - 1) in (".", ",")):
        return at
    if chars[at][0] == "0" or not 1 <= digits(at) <= 3:
        return at
    end = at + digits(at)
    separator, groups = sign(end), []
    while separator in (".", ",") and separator and sign(end) == separator and digits(end + 1):
        groups.append(digits(end + 1))
        end += 1 + groups[-1]
    if not groups or groups[-1] != 3 or any(group != 3 and (separator == "." or group != 2) for group in groups):
        return at
    return end


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


def bare(key: str) -> str:
    made = ""
    for char in unicodedata.normalize("NFD", key):
        if unicodedata.category(char)[0] == "M" and regex.match(r"[\p{Latin}\p{Greek}\p{Cyrillic}]", made[-1:] or " "):
            continue
        made += char
    special = {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
    return "".join(special.get(char, char) for char in unicodedata.normalize("NFC", made))


STEMMERS = (("LATIN", ENGLISH, "english", 4), ("CYRILLIC", RUSSIAN, "russian", 4), ("DEVANAGARI", HINDI, "hindi", 3))


def table(file: str) -> list[str]:
    lines = resources.files("newsletter.matching.text").joinpath(file).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and line[0] != "#"]


FUNCTION_WORDS = {
    language: {
        tokens(word)[0].key
        for line in table("function_words.txt")
        if line.split()[0] == language
        for word in line.split()[1:]
    }
    for language in ("english", "russian", "hindi")
}
ENDINGS_OF_NAMES = {
    line.split()[0]: [
        {bare(fold(one)) if one != "-" else "" for one in group.split()} for group in line.partition(" ")[2].split("|")
    ]
    for line in table("name_endings.txt")
}
SURNAMES = {word for line in table("surnames.txt") if line[0] != "+" for word in line.split()}
IN_S = {word for line in table("surnames.txt") if line[0] == "+" for word in line[1:].split()}


def language_of(key: str) -> tuple[Stemmer.Stemmer | None, str, int]:
    for script, stemmer, language, shortest in STEMMERS:
        if unicodedata.name(key[0], "").startswith(script):
            return stemmer, language, shortest
    return None, "", 0


@lru_cache(maxsize=100_000)
def same_stem(one: str, other: str) -> bool:
    """Whether two words are inflected forms of one."""
    if one == other:
        return True
    (stemmer, language, shortest), (_, second, _) = language_of(one), language_of(other)
    if stemmer is None or language != second or {one, other} & FUNCTION_WORDS[language]:
        return False
    return stemmer.stemWord(one) == stemmer.stemWord(other) and len(stemmer.stemWord(one)) >= shortest


@lru_cache(maxsize=100_000)
def same_name(name: str, word: str) -> bool:
    """Whether a word is an inflected form of a name, as docs/queries.md has it."""
    if name == word:
        return True
    language = language_of(name)[1]
    if language != language_of(word)[1] or not language or {name, word} & FUNCTION_WORDS[language]:
        return False
    for one, other in ((name, word), (word, name)):
        if other in SURNAMES and other.startswith(one):
            return False
    if name == word + "s":
        long = len(word) >= 6
        if name in IN_S or word[-1] in "aus" or (word[-1] in "io" and not long):
            return False
    one, other = (bare(each) if len(bare(each)) == len(each) else each for each in (name, word))
    for group in ENDINGS_OF_NAMES.get(language, []):
        for first, second in product(group, group):
            same = one.removesuffix(first) == other.removesuffix(second)
            same = same and one.endswith(first) and other.endswith(second) and len(one) > len(first)
            direct = not first and second and len(name) >= 4 and word.startswith(name)
            if same and (same_stem(name, word) or direct):
                return True
    return False


def spelled(shown: str) -> str:
    shown = regex.sub(r"[’‘ʼʻ′´`＇ʹ׳'](?:[sSｓＳ]|(?i:(?<=\w\w\w.)(?:ll|re|ve|[dmnr])))$", "", shown)
    made = unicodedata.normalize("NFKC", shown)
    return "".join(
        char for char in made if (unicodedata.category(char)[0] in "LMN" or char in "+#") and not ignored(char)
    )


class Naive:
    """One item, looked through again for every term."""

    def __init__(self, item: Document, aliases: Mapping[str, Sequence[Alias]] | None = None) -> None:
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
        if isinstance(term, FieldTerm) and term.name != "title":
            texts, inflected, term = [one for one in self.more if one[0] == term.name], False, term.term
        elif isinstance(term, FieldTerm):
            texts, inflected, term = self.texts[:1], True, term.term
        else:
            texts, inflected = self.texts, True
        for name, text in texts:
            for first, last in self.ranges(term, text, tokens(text), inflected):
                found.add((name, first.start, last.end))
        if isinstance(term, BareWord) and inflected:
            others = self.aliases.get(" ".join(term.keys), ())
            if any(list(term.keys) == [one.key for one in tokens(alias.spelling)] for alias in others):
                found = set()
            for alias in others:
                context = [read_query(one) for one in alias.context]
                if not context or any(self.places_of(one, self.texts) for one in context):
                    found |= self.places_of(read_query(alias.spelling), texts)
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
            case BareWord((key,), _, False, name, ()) if inflected and kind(key[0]) != "u":
                yield from self.inflected(key, read, same_name if name else same_stem)
                return
            case BareWord(keys, True, _, name) if inflected:
                yield from self.inflected("".join(keys), read, same_name if name else same_stem)
        for first in range(len(read)):
            row = read[first : first + len(term.keys)]
            whole = len(row) == len(term.keys) and row[0].paragraph == row[-1].paragraph
            met = whole and self.meets(term, [one.key for one in row], [text[one.start : one.end] for one in row])
            if met and self.signed(getattr(term, "symbols", ()), text, row):
                yield row[0], row[-1]

    def signed(self, signs: Sequence[str], text: str, row: Sequence[Token]) -> bool:
        """Whether the signs that were typed stand so in the text."""
        if not signs:
            return True

        def shown(start: int, end: int) -> str:
            return "".join(one[0] for one in letters(text) if start <= one[1] and one[2] <= end)

        before, after = " " + shown(0, row[0].start), shown(row[-1].end, len(text)) + " "
        first, last = signs[0], signs[-1]
        if first and (
            not before.endswith(first) or before[-len(first) - 1] == first[0] or kind(before[-len(first) - 1]) in "lm"
        ):
            return False
        if last and (not after.startswith(last) or after[len(last)] == last[-1] or kind(after[len(last)]) in "lm"):
            return False
        gaps = [shown(one.end, other.start) for one, other in pairwise(row)]
        return all(not sign or sign == gap for sign, gap in zip(signs[1:-1], gaps, strict=True))

    def meets(self, term: Query, keys: list[str], shown: list[str]) -> bool:
        match term:
            case BareWord((key,), _, True) | Phrase((key,), True):
                plural = isinstance(term, BareWord) and keys == [key + "s"] and spelled(shown[0])[len(key) :] == "s"
                return (keys == [key] or plural) and spelled(shown[0])[: len(key)].isupper()
            case BareWord(wanted) | Phrase(wanted):
                return keys == list(wanted)
            case Prefix(wanted):
                return keys[:-1] == list(wanted[:-1]) and keys[-1].startswith(wanted[-1])
            case Exact(wanted, spelling):
                return keys == list(wanted) and list(map(spelled, shown)) == list(spelling)
            case AccentInsensitive(wanted):
                return [bare(key) for key in keys] == list(wanted)
        raise AssertionError(term)

    def inflected(self, key: str, read: list[Token], same: Callable[[str, str], bool]) -> Iterator[tuple[Token, Token]]:
        for token in read:
            if same(key, token.key):
                yield token, token
        at = 0
        while at < len(read):
            end = at
            while read[end].tied:
                end += 1
            if end > at and same(key, "".join(one.key for one in read[at : end + 1])):
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
