"""Languages that dates in mails can be written in."""

from babel import Locale, UnknownLocaleError


def canonical(text: str) -> str | None:
    """The locale that `text` names as CLDR writes it (`de`, `en_GB`, `zh_Hans_CN`); None if CLDR does not know it.

    Takes both `pt-BR` and `pt_BR` (BCP 47, Unicode TR 35).
    """
    try:
        return str(Locale.parse(text.strip().replace("-", "_")))
    except (UnknownLocaleError, ValueError, TypeError):
        return None
