"""A word's key and the language it stands in, in; its stem out: what its inflected forms have in common."""

import threading
from functools import cache

import regex
import Stemmer

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
        self._stemmers = threading.local()

    def __getitem__(self, key: str) -> str:
        """The stem of a word."""
        stemmer = self._stemmer("Latin" if "a" <= key[0] <= "z" else _script(key[0]))
        return str(stemmer.stemWord(key)) if stemmer else key

    def language(self, key: str) -> str:
        """The name of the language in which a word is read; empty where it has no stemmer."""
        return self._names.get("Latin" if "a" <= key[0] <= "z" else _script(key[0]), "")

    def each(self, keys: list[str]) -> list[str]:
        """The stem of every word."""
        stemmer = self._stemmer("Latin")
        stems: list[str] = stemmer.stemWords(keys) if stemmer else list(keys)
        for number in [number for number, key in enumerate(keys) if not "a" <= key < "{"]:
            stems[number] = self[keys[number]]
        return stems

    def _stemmer(self, script: str) -> Stemmer.Stemmer | None:
        """One for each thread: they are not to be shared."""
        known: dict[str, Stemmer.Stemmer] | None = getattr(self._stemmers, "by_script", None)
        if known is None:  # without caches of their own: a text is longer than they are
            known = {name: Stemmer.Stemmer(language, 0) for name, language in self._names.items()}
            self._stemmers.by_script = known
        return known.get(script)


@cache
def _script(letter: str) -> str:
    found = _SCRIPT.match(letter)
    return (found.lastgroup or "") if found else ""


def of(lang: str) -> Stems:
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
