"""Write locale/django.pot: every text of pages and mails, for translators (`make messages`). English is the source."""

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import write_po

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "locale" / "django.pot"
_METHODS = [("newsletter/**.py", "python"), ("templates/**.j2", "jinja2")]
_OPTIONS = {"templates/**.j2": {"extensions": "jinja2.ext.i18n", "trimmed": "true"}}
#: Functions that mark text, and which of their arguments are texts.
_KEYWORDS = {**DEFAULT_KEYWORDS, "mark": None, "gettext_lazy": None, "ngettext_lazy": (1, 2)}


def messages() -> str:
    """The catalogue without translations: sorted, and without places in files, so that only changed texts change it."""
    catalogue = Catalog(charset="utf-8")
    found = extract_from_dir(ROOT, _METHODS, _OPTIONS, keywords=_KEYWORDS)
    for _path, _line, message, _comments, context in found:
        catalogue.add(message, context=context)
    text = io.BytesIO()
    write_po(text, catalogue, width=100, no_location=True, omit_header=True, sort_output=True)
    return text.getvalue().decode().rstrip() + "\n"


def main() -> None:
    """Write the file."""
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(messages())


if __name__ == "__main__":
    main()
