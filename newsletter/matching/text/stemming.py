"""Stem words (Snowball) by the language of their text: the inflected forms of a word have the same stem.

A function word, and a word of which the stemmer leaves less than four letters, keeps a stem of its own, which no other word has.
"""

import threading
from functools import cache

import regex
import Stemmer

from newsletter.matching.text.name_forms import by_ending, function_words, other_name, roots
from newsletter.matching.text.tokenize import keys

#: Shorter stems join nothing; nor do those of scripts that do not write vowels, or write them as marks.
SHORTEST = 4
_SHORTER = 3
_CONSONANTS = frozenset({"Arabic", "Hebrew", "Devanagari", "Tamil"})
#: Before the key of a word that meets no other, so that it is no other's stem.
_ALONE = "="

#: Languages that have a stemmer (Snowball), by their code (ISO 639-1).
# fmt: off
_STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french",
    "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian",
    "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian",
    "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "st": "sesotho",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}
# fmt: on
_SCRIPTS = ("Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Armenian", "Tamil")
_SCRIPT = regex.compile("|".join(rf"(?P<{name}>\p{{{name}}})" for name in _SCRIPTS))
#: The script of languages that are not written in Latin letters.
# fmt: off
_WRITTEN_IN = {
    "ar": "Arabic", "ckb": "Arabic", "fa": "Arabic", "ps": "Arabic", "ug": "Arabic", "ur": "Arabic",
    "be": "Cyrillic", "bg": "Cyrillic", "kk": "Cyrillic", "ky": "Cyrillic", "mk": "Cyrillic", "mn": "Cyrillic",
    "ru": "Cyrillic", "sr": "Cyrillic", "tg": "Cyrillic", "tt": "Cyrillic", "uk": "Cyrillic",
    "el": "Greek", "he": "Hebrew", "yi": "Hebrew", "hi": "Devanagari", "mr": "Devanagari", "ne": "Devanagari",
    "hy": "Armenian", "ta": "Tamil", "am": "", "bn": "", "bo": "", "dv": "", "dz": "", "gu": "", "ja": "", "ka": "", "km": "",
    "kn": "", "ko": "", "lo": "", "ml": "", "my": "", "or": "", "pa": "", "si": "", "te": "", "th": "", "ti": "", "zh": "",
}
# fmt: on
#: Words of a script that the text's language does not use are read in this one. Arabic letters are in none: they may be Uyghur.
_OTHERWISE = {"Latin": "en", "Cyrillic": "ru", "Greek": "el", "Devanagari": "hi", "Armenian": "hy", "Tamil": "ta"}


class Stems:
    """What makes stems of the words of texts in one language. Threads may share it."""

    def __init__(self, by_script: tuple[tuple[str, str], ...]) -> None:
        self._names = dict(by_script)
        self._alone = {name: _function_keys(language) for name, language in by_script}
        self._latin_alone = self._alone.get("Latin", frozenset())
        self._stemmers = threading.local()

    def __getitem__(self, key: str) -> str:
        """The stem of a word."""
        script = _script_of(key)
        stemmer = self._stemmer(script)
        if stemmer is None:
            return key
        return _joinable_stem(
            key, str(stemmer.stemWord(key)), self._alone[script], _SHORTER if script in _CONSONANTS else SHORTEST
        )

    def is_function_word(self, key: str) -> bool:
        """Whether a word meets no other because it is an article, a preposition or the like."""
        return key in self._alone.get(_script_of(key), ())

    def roots(self, word: str) -> tuple[str, ...]:
        """The names of which a word of a text may be a form, whatever its stem."""
        return () if self.is_function_word(word) else roots(word, self.language(word))

    def same_name(self, name: str, word: str) -> bool:
        """Whether a word of a text is a form of a name. Every such word has the stem of the name, or it among its `roots`."""
        if name == word:
            return True
        if self.is_function_word(name) or other_name(name, word):
            return False
        joined = self[name] == self[word] and by_ending(name, word, self.language(name))
        return joined or name in self.roots(word)

    def language(self, key: str) -> str:
        """The name of the language in which a word is read; empty where it has no stemmer."""
        return self._names.get(_script_of(key), "")

    def each(self, keys: list[str]) -> list[str]:
        """The stem of every word."""
        stemmer = self._stemmer("Latin")
        if stemmer:
            alone = self._latin_alone
            stems = [
                stem if len(stem) >= SHORTEST and key not in alone else _joinable_stem(key, stem, alone, SHORTEST)
                for key, stem in zip(keys, stemmer.stemWords(keys), strict=True)
            ]
        else:
            stems = list(keys)
        for number in [number for number, key in enumerate(keys) if not "a" <= key < "{"]:
            stems[number] = self[keys[number]]
        return stems

    def _stemmer(self, script: str) -> Stemmer.Stemmer | None:
        """Return the stemmer of this thread: stemmers cannot be shared between threads."""
        known: dict[str, Stemmer.Stemmer] | None = getattr(self._stemmers, "by_script", None)
        if known is None:  # without caches of their own: a text is longer than they are
            known = {name: Stemmer.Stemmer(language, 0) for name, language in self._names.items()}
            self._stemmers.by_script = known
        return known.get(script)


def _joinable_stem(key: str, stem: str, alone: frozenset[str], shortest: int) -> str:
    if len(stem) >= shortest and key not in alone:
        return stem
    # no other word has a stem that is so short and equal to its word
    return key if stem == key and len(key) < shortest else f"{_ALONE}{key}"


def _script_of(key: str) -> str:
    return "Latin" if "a" <= key[0] <= "z" else _script(key[0])


@cache
def _function_keys(language: str) -> frozenset[str]:
    return frozenset(key for word in function_words().get(language, ()) for key in keys(word))


@cache
def _script(letter: str) -> str:
    match = _SCRIPT.match(letter)
    return (match.lastgroup or "") if match else ""


def stems_for(lang: str) -> Stems:
    """The stems for a text in `lang` (BCP 47; empty when it is not known).

    Each word is stemmed by the language of the text if that is written in the word's script; else by the commonest language
    of that script (English, Russian …), if it has a stemmer.
    """
    primary = lang.partition("-")[0].lower()
    script = _WRITTEN_IN.get(primary, "Latin" if primary else "")
    by_script = dict(_OTHERWISE)
    if script:
        by_script[script] = primary
    names = {name: _STEMMERS[code] for name, code in by_script.items() if code in _STEMMERS}
    return _shared(tuple(sorted(names.items())))


@cache
def _shared(by_script: tuple[tuple[str, str], ...]) -> Stems:
    return Stems(by_script)
