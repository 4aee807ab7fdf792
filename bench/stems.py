"""Stems alone against what is joined by our rules: what function words, short stems and names gain and lose, by language.

    python -m bench.stems

The texts are the translations that Django brings: messages for people, short, with few names in them. A name of the list below
that meets one of them by another word than itself meets it wrongly.
"""

import gettext
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import django
import Stemmer

from newsletter.matching.text import stemming
from newsletter.matching.text.tokenize import keys

LANGUAGES = "ca cs da de el es et eu fi fr ga hu hy id it lt nb nl pl pt ro ru sv tr".split()  # noqa: SIM905
NAMES = """Adele Alan Alba Alma Ana Anders Andre Anna Ansel Aline Bella Ben Carmen Cato Celia Chris Clara Claire Dan Dana Dante
Della Die Diana Elias Elle Emil Enya Eric Estela Eva Felix Fiona Gale Hans Helen Ines Iris James Jan Jane Jean Jo Jonas Jose Julie
Kate Kim Lara Lars Lea Lee Leon Li Lisa Lola Luis Mara Mario Marie Mark Max May Mila Mina Nadine Nico Nina Noa Nora Olga Oliver
Olsen Otto Paula Petra Pia Rosa Sam San Sara Sean Silva Simon Stella Tessa Tom Una Vera Vito Will Xi Yan Zara""".split()  # noqa: SIM905


def main() -> None:
    """Print a table of all languages."""
    print(f"{'':4}{'texts':>6}{'names, wrong texts':>20}{'forms':>8}{'function':>10}{'short':>7}{'as names':>10}")
    for language in LANGUAGES:
        texts = [keys(text) for text in _texts(language)]
        before, after = _wrong(language, texts)
        joined, function, short, names = _pairs(language, {key for text in texts for key in text})
        print(
            f"{language:4}{len(texts):>6}{f'{before} > {after}':>20}{joined:>8}{function / joined:>10.1%}"
            f"{short / joined:>7.1%}{names / joined:>10.1%}"
        )


def _texts(language: str) -> Iterator[str]:
    root = Path(django.__file__).parent
    for path in sorted(root.glob(f"**/locale/{language}/LC_MESSAGES/*.mo")):
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        yield from (text for source, text in catalogue.items() if source and len(text.split()) > 2)


def _wrong(language: str, texts: list[tuple[str, ...]]) -> tuple[int, int]:
    """Texts that names meet by other words, by stems alone and by our rules; each name counts by itself."""
    by_stem: dict[str, set[int]] = defaultdict(set)
    having: dict[str, set[int]] = defaultdict(set)
    for number, text in enumerate(texts):
        for key in text:
            having[key].add(number)
    ours, plain = stemming.stems_for(language), _plain(language)
    for key, there in having.items():
        by_stem[plain(key)] |= there
    before = after = 0
    for name in map(str.lower, NAMES):
        itself = having.get(name, set())
        before += len(by_stem.get(plain(name), set()) - itself)
        met = (there for key, there in having.items() if key != name and ours.same_name(name, key))
        after += len(set().union(*met) - itself)
    return before, after


def _pairs(language: str, words: set[str]) -> tuple[int, int, int, int]:
    """Pairs of words with one stem; of these, pairs with a function word, with a short stem, and such as names do not join."""
    ours, plain = stemming.stems_for(language), _plain(language)
    by_stem: dict[str, list[str]] = defaultdict(list)
    for word in words:
        if ours.language(word):
            by_stem[plain(word)].append(word)
    pairs = [
        (one, other)
        for some in by_stem.values()
        for at, one in enumerate(some)
        for other in some[at + 1 :]
        if one != other
    ]
    apart = [(one, other) for one, other in pairs if ours[one] != ours[other]]
    function = [pair for pair in apart if any(ours.is_function_word(word) for word in pair)]
    names = [
        pair
        for pair in pairs
        if pair not in set(apart) and not ours.same_name(*pair) and not ours.same_name(*pair[::-1])
    ]
    return max(len(pairs), 1), len(function), len(apart) - len(function), len(names)


def _plain(language: str):  # type: ignore[no-untyped-def]
    """What makes stems, and nothing else."""
    ours = stemming.stems_for(language)
    made = {name: Stemmer.Stemmer(name) for name in set(ours._names.values())}

    def stem(key: str) -> str:
        name = ours.language(key)
        return str(made[name].stemWord(key)) if name else key

    return stem


if __name__ == "__main__":
    main()
