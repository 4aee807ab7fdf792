"""Which words are forms of one name: they differ by endings that names take in a language, and by nothing else.

A language goes by the name of its stemmer.
"""

from functools import cache
from importlib import resources
from itertools import takewhile

from newsletter.matching.text.scripts import without_accents

#: A name that is shorter has no forms.
SHORTEST = 4
#: No ending of a name is longer.
_LONGEST = 6
#: A name may end in -is or -os by itself, unless what is left is as long as this (Houthis, Filipinos).
_PLURAL = 6
#: Before a group of endings that needs another vowel with them: Haus, Häuser, but not Fisch, Fischer.
_UMLAUT = "~"


def roots(word: str, language: str) -> tuple[str, ...]:
    """The names that a word would be with an ending after it."""
    endings = _added(language)
    if not endings or not (bare := _as_long(word)).endswith(endings):
        return ()
    return tuple(
        word[: -len(ending)] for ending in endings if len(word) >= len(ending) + SHORTEST and bare.endswith(ending)
    )


def by_ending(name: str, word: str, language: str) -> bool:
    """Whether two words have the same beginning, accents aside, and endings that stand in for each other."""
    bare_name, bare_word = _as_long(name), _as_long(word)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(bare_name, bare_word, strict=False)))
    for start in range(common, max(common - _LONGEST, 1) - 1, -1):
        umlaut = name[:start] != word[:start]
        for group in _groups().get(language, ()):
            if bare_name[start:] in group and bare_word[start:] in group and (umlaut or _UMLAUT not in group):
                return True
    return False


def other_name(name: str, word: str) -> bool:
    """Whether two words that differ by an ending are two names all the same: Williams is not William, nor Lucas Luca."""
    surnames, others = _apart()
    shorter, longer = sorted((name, word), key=len)
    if longer in surnames and longer.startswith(shorter):
        return shorter != longer
    if name != f"{word}s":
        return False
    if name in others or word.endswith(("a", "u", "s")):
        return True
    return word.endswith(("i", "o")) and len(word) < _PLURAL


def _as_long(word: str) -> str:
    """Without accents, if that is as long."""
    bare = without_accents(word)
    return bare if len(bare) == len(word) else word


@cache
def _groups() -> dict[str, tuple[frozenset[str], ...]]:
    made = {}
    for line in _lines("name_endings.txt"):
        language, _, rest = line.partition(" ")
        groups = (group.split() for group in without_accents(rest.casefold()).split("|"))
        made[language] = tuple(frozenset("" if ending == "-" else ending for ending in group) for group in groups)
    return made


@cache
def _added(language: str) -> tuple[str, ...]:
    """The endings that come after a whole name."""
    groups = (group for group in _groups().get(language, ()) if "" in group and _UMLAUT not in group)
    return tuple(sorted(frozenset().union(*groups) - {""}))


@cache
def _apart() -> tuple[frozenset[str], frozenset[str]]:
    lines = _lines("surnames.txt")
    surnames = frozenset(word for line in lines if line[0] != "+" for word in line.split())
    return surnames, frozenset(word for line in lines if line[0] == "+" for word in line[1:].split())


@cache
def function_words() -> dict[str, frozenset[str]]:
    """The name of a stemmer → articles, pronouns, prepositions and the like of its language, as they are written."""
    made: dict[str, frozenset[str]] = {}
    for line in _lines("function_words.txt"):
        language, *words = line.split()
        made[language] = made.get(language, frozenset()) | frozenset(words)
    return made


def _lines(file: str) -> list[str]:
    text = resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
