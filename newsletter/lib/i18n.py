"""Translated text for mails, which are worded without a request. Pages use Django's functions and the same catalogues.

English is the source: a message without a translation is shown as it stands in the code.
"""

from functools import lru_cache
from gettext import NullTranslations, translation
from pathlib import Path
from typing import Final

#: Name of the catalogues (`locale/LANGUAGE/LC_MESSAGES/django.mo`); Django looks for this one.
DOMAIN: Final = "django"
_PACKAGE = Path(__file__).parents[1]
#: An installed wheel carries the catalogues inside the package, a checkout has them beside it.
DIRECTORY: Final = next((path for path in (_PACKAGE / "locale",) if path.is_dir()), _PACKAGE.parent / "locale")


def mark(message: str) -> str:
    """Return the message unchanged: it is extracted here and translated where it is shown."""
    return message


@lru_cache
def translations(language: str) -> NullTranslations:
    """The catalogue of a language (`zh_Hans`); one that gives the English source where there is none."""
    return translation(DOMAIN, DIRECTORY, [language], fallback=True)
