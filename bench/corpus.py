"""A seed in, posts and queries out: words by Zipf's law, the same for every engine that is compared."""

import random
from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import Stemmer

VOCABULARY = 200_000
POST_WORDS = 450
_ONSETS = [
    "b",
    "bl",
    "br",
    "c",
    "ch",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "pl",
    "pr",
    "qu",
    "r",
    "s",
    "sh",
    "sk",
    "sl",
    "sp",
    "st",
    "str",
    "t",
    "tr",
    "v",
    "w",
    "z",
]
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ou"]
_CODAS = ["", "", "", "n", "r", "t", "k", "m", "p", "x", "nd", "rt", "sk"]

#: ("word", w), ("phrase", w, w …), ("and" | "or", part, part …), ("not", part).
Query = tuple[Any, ...]


@dataclass(frozen=True)
class Corpus:
    """Posts as text, and distinct queries."""

    posts: list[str]
    queries: list[Query]


def make(posts: int, queries: int, *, vocabulary: int = VOCABULARY, seed: int = 7) -> Corpus:
    """Posts of 450 words; queries of which 70 % are words, 20 % phrases and 10 % boolean."""
    chance = random.Random(seed)
    words = _vocabulary(chance, vocabulary)
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(len(words))))
    made = [_post(chance, words, weights) for _ in range(posts)]
    return Corpus([text for text, _ in made], _queries(chance, words, [used for _, used in made], queries))


def _vocabulary(chance: random.Random, size: int) -> list[str]:
    """Words that are their own stems, so that engines without a stemmer find the same."""
    stem = Stemmer.Stemmer("english").stemWord
    words: dict[str, None] = {}
    while len(words) < size:
        syllables = chance.choices((1, 2, 3), (1, 6, 5))[0]
        word = "".join(
            chance.choice(_ONSETS) + chance.choice(_VOWELS) + chance.choice(_CODAS) for _ in range(syllables)
        )
        if len(word) > 2 and stem(word) == word:
            words[word] = None
    return sorted(words, key=lambda word: len(word) + 6 * chance.random())  # common words are short


def _post(chance: random.Random, words: list[str], weights: list[float]) -> tuple[str, list[str]]:
    used = [words[bisect(weights, chance.random() * weights[-1])] for _ in range(POST_WORDS)]
    shown, start = [], True
    for word in used:
        end = chance.choices(("", ",", ".", ".\n\n", "” –"), (85, 7, 6, 1, 1))[0]
        shown.append((word.capitalize() if start or chance.random() < 0.04 else word) + end)
        start = end.startswith(".")
    return " ".join(shown).replace("\n\n ", "\n\n"), used


def _queries(chance: random.Random, words: list[str], used: list[list[str]], number: int) -> list[Query]:
    def word() -> str:
        # most look for rare words, some for common ones
        common = chance.random() < 0.005
        return words[int(len(words) ** chance.random()) - 1] if common else chance.choice(words)

    def phrase() -> Query:
        length = chance.choice((2, 2, 3))
        if chance.random() < 0.3:  # one that stands somewhere
            post = chance.choice(used)
            at = chance.randrange(len(post) - length)
            return ("phrase", *post[at : at + length])
        return ("phrase", *(word() for _ in range(length)))

    def term() -> Query:
        return ("word", word()) if chance.random() < 0.7 else phrase()

    def boolean() -> Query:
        kind = chance.randrange(4)
        if kind == 0:
            return ("and", ("or", term(), term()), ("word", word()))
        if kind == 1:
            return ("and", ("word", word()), ("not", term()))
        if kind == 2:
            return ("or", term(), term(), term())
        return ("and", ("word", word()), ("word", word()))

    made: dict[Query, None] = {}
    kinds = (("word", 0.7), ("phrase", 0.2), ("boolean", 0.1))
    for kind, share in kinds:
        wanted = len(made) + round(number * share)
        while len(made) < wanted:
            made[("word", word()) if kind == "word" else phrase() if kind == "phrase" else boolean()] = None
    shuffled = list(made)
    chance.shuffle(shuffled)
    return shuffled


def written(query: Query) -> str:
    """A query in the language of docs/queries.md."""
    match query:
        case ("word", word):
            return str(word)
        case ("phrase", *some):
            return f'"{" ".join(some)}"'
        case ("not", part):
            return f"-{_inside(part)}"
        case (kind, *parts):
            return (" OR " if kind == "or" else " ").join(map(_inside, parts))
    raise AssertionError(query)


def by_readers(query: Query) -> bool:
    """Whether a reader may have it as a keyword: words, phrases and minus."""
    plain = ("word", "phrase")
    return query[0] in plain or (
        query[0] == "and" and all(part[0] in plain or (part[0] == "not" and part[1][0] in plain) for part in query[1:])
    )


def _inside(query: Query) -> str:
    return f"({written(query)})" if query[0] in ("and", "or") else written(query)
