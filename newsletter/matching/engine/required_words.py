"""A compiled query in, words of which an item must have one to meet it out; and the words of an item to hold against them."""

from dataclasses import dataclass
from itertools import pairwise

from newsletter.matching.engine.tokenized_item import SearchableText
from newsletter.matching.query.compiled import Alternative, CompiledQuery, MatchKind, TermQuery
from newsletter.matching.query.nodes import And, Not, Or
from newsletter.matching.text.stemming import Stems
from newsletter.matching.text.tokenize import BREAK


@dataclass(frozen=True)
class RequiredWords:
    """What is looked for first of a query. Without one of these no item meets it."""

    #: Single words.
    words: frozenset[str]
    #: Names among them.
    names: frozenset[str]
    #: Two words side by side, with a space between.
    pairs: frozenset[str]
    #: An item that has one of them meets the query: nothing else need be looked at.
    enough: bool

    def signs(self, stems: Stems) -> set[str]:
        """How they are written for items whose words have these stems."""
        words = {word_key(word, stems) for word in self.words} | {name_key(name, stems) for name in self.names}
        return words | {_pair(pair) for pair in self.pairs}


def required_words(plan: CompiledQuery) -> RequiredWords | None:
    """The anchors of a query; None when it can be met by items that share no whole word."""
    found = rarest_terms(plan)[1]
    ways = [way for sought in found for way in sought.ways]
    if not ways or any(sought.within not in ("", "title") for sought in found) or not all(map(_whole, ways)):
        return None
    words = frozenset(way.keys[0] for way in ways if len(way.keys) == 1)
    names = frozenset(way.keys[0] for way in ways if way.kind is MatchKind.NAME)
    pairs = frozenset(_longest_pair(way) for way in ways if len(way.keys) > 1)
    return RequiredWords(words, names, pairs, isinstance(plan, TermQuery) and plan.sure and all(map(_says_all, ways)))


def item_keys(body: SearchableText) -> set[str]:
    """Everything in an item that could be an anchor, written as `Anchors.signs` does."""
    pairs = {_pair(f"{one} {other}") for one, other in pairwise(body.keys) if BREAK not in (one, other)}
    return word_keys(body) | pairs


def word_keys(body: SearchableText) -> set[str]:
    """The words of an item by their stems, also those with hyphens when read as one; and the names of which they may be forms."""
    keys = list({*body.keys, *body.compound_keys} - {BREAK})
    words = {_word(key, stem, body.stems) for key, stem in zip(keys, body.stems.each(keys), strict=True)}
    return words | {_root(root, body.stems.language(key)) for key in keys for root in body.stems.roots(key)}


def word_key(key: str, stems: Stems) -> str:
    """How a word is written by its stem, for items whose words have these stems."""
    return _word(key, stems[key], stems)


def name_key(name: str, stems: Stems) -> str:
    """How a name is written for items that have it with an ending after it, whatever its stem."""
    return _root(name, stems.language(name))


def rarest_terms(plan: CompiledQuery) -> tuple[int, list[TermQuery]]:
    """Terms of which one is in every item that meets the query, and how rare they are: the longer, the rarer. -1: none."""
    match plan:
        case And(parts):
            return max((rarest_terms(part) for part in parts), key=lambda one: one[0])
        case Or(parts):
            each = [rarest_terms(part) for part in parts]
            rarity = min(one[0] for one in each)
            return (-1, []) if rarity < 0 else (rarity, [sought for one in each for sought in one[1]])
        case Not():
            return -1, []
        case TermQuery(_, ways, within):
            return 0 if within in ("lang", "feed") else min(map(_length, ways)), [plan]


def _length(way: Alternative) -> int:
    return sum(map(len, way.keys)) + 4 * len(way.keys)


def _whole(way: Alternative) -> bool:
    return way.kind in (MatchKind.WORD, MatchKind.NAME, MatchKind.ROW)


def _says_all(way: Alternative) -> bool:
    return way.kind is MatchKind.WORD or len(way.keys) == 2


def _longest_pair(way: Alternative) -> str:
    one, other = max(pairwise(way.keys), key=lambda pair: sum(map(len, pair)))
    return f"{one} {other}"


def _word(key: str, stem: str, stems: Stems) -> str:
    """A word by its stem, which is another one in each language."""
    return f"{stems.language(key)}:{stem}"


def _root(root: str, language: str) -> str:
    """A name with an ending after it."""
    return f"{language}^{root}"


def _pair(pair: str) -> str:
    return f"+{pair}"
