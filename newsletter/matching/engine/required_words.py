"""Choose, for a compiled query, words of which any matching item must contain at least one; and the same keys of an item."""

from dataclasses import dataclass
from itertools import pairwise

from newsletter.matching.engine.searchable_text import SearchableText
from newsletter.matching.query.compiled import Alternative, CompiledQuery, MatchKind, TermQuery
from newsletter.matching.query.nodes import And, Not, Or
from newsletter.matching.text.stemming import Stems
from newsletter.matching.text.tokenize import BREAK


@dataclass(frozen=True)
class RequiredWords:
    """Words and pairs of words. An item that has none of them does not match the query."""

    #: Single words.
    words: frozenset[str]
    #: Names among them.
    names: frozenset[str]
    #: Two adjacent words, with a space between.
    pairs: frozenset[str]
    #: Whether any item that has one of them matches.
    sufficient: bool

    def keys(self, stems: Stems) -> set[str]:
        """The keys of these words, for items whose words have these stems."""
        words = {word_key(word, stems) for word in self.words} | {name_key(name, stems) for name in self.names}
        return words | {_pair_key(pair) for pair in self.pairs}


def required_words(query: CompiledQuery) -> RequiredWords | None:
    """The required words of a query; None if items without any particular whole word can match it."""
    terms = rarest_terms(query)[1]
    alternatives = [alternative for term in terms for alternative in term.alternatives]
    if not alternatives or any(term.field not in ("", "title") for term in terms):
        return None
    if not all(map(_has_whole_words, alternatives)):
        return None
    words = frozenset(alternative.keys[0] for alternative in alternatives if len(alternative.keys) == 1)
    names = frozenset(alternative.keys[0] for alternative in alternatives if alternative.kind is MatchKind.NAME)
    pairs = frozenset(_longest_pair(alternative) for alternative in alternatives if len(alternative.keys) > 1)
    sufficient = isinstance(query, TermQuery) and query.sufficient and all(map(_is_one_key, alternatives))
    return RequiredWords(words, names, pairs, sufficient)


def item_keys(text: SearchableText) -> set[str]:
    """All keys of an item, as `RequiredWords.keys` writes them."""
    pairs = {_pair_key(f"{left} {right}") for left, right in pairwise(text.keys) if BREAK not in (left, right)}
    return word_keys(text) | pairs


def word_keys(text: SearchableText) -> set[str]:
    """The words of an item by their stems, also those with hyphens read as one; and the names of which they may be forms."""
    words = list({*text.keys, *text.compound_keys} - {BREAK})
    keys = {_stem_key(word, stem, text.stems) for word, stem in zip(words, text.stems.each(words), strict=True)}
    return keys | {_root_key(root, text.stems.language(word)) for word in words for root in text.stems.roots(word)}


def word_key(word: str, stems: Stems) -> str:
    """The key of a word, for items whose words have these stems."""
    return _stem_key(word, stems[word], stems)


def name_key(name: str, stems: Stems) -> str:
    """The key of a name, for items that have it with an ending, whatever its stem."""
    return _root_key(name, stems.language(name))


def rarest_terms(query: CompiledQuery) -> tuple[int, list[TermQuery]]:
    """Terms of which every matching item has one, and how rare they are: the longer, the rarer. -1: there are none."""
    match query:
        case And(parts):
            return max((rarest_terms(part) for part in parts), key=lambda rated: rated[0])
        case Or(parts):
            each = [rarest_terms(part) for part in parts]
            rarity = min(rated[0] for rated in each)
            return (-1, []) if rarity < 0 else (rarity, [term for rated in each for term in rated[1]])
        case Not():
            return -1, []
        case TermQuery(_, alternatives, field):
            return 0 if field in ("lang", "feed") else min(map(_length, alternatives)), [query]


def _length(alternative: Alternative) -> int:
    return sum(map(len, alternative.keys)) + 4 * len(alternative.keys)


def _has_whole_words(alternative: Alternative) -> bool:
    return alternative.kind in (MatchKind.WORD, MatchKind.NAME, MatchKind.PHRASE)


def _is_one_key(alternative: Alternative) -> bool:
    return alternative.kind is MatchKind.WORD or len(alternative.keys) == 2


def _longest_pair(alternative: Alternative) -> str:
    left, right = max(pairwise(alternative.keys), key=lambda pair: sum(map(len, pair)))
    return f"{left} {right}"


def _stem_key(word: str, stem: str, stems: Stems) -> str:
    """The stem with its language: each language has its own."""
    return f"{stems.language(word)}:{stem}"


def _root_key(root: str, language: str) -> str:
    """A name that has an ending in the item."""
    return f"{language}^{root}"


def _pair_key(pair: str) -> str:
    return f"+{pair}"
