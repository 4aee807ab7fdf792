"""The Jinja2 environment of mails: escaping, marks for what is personal, and translated text.

Every template is rendered with `language`, the locale of a look.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from newsletter.editions.rendering import text_format
from newsletter.editions.rendering.values import Frame
from newsletter.lib import i18n
from newsletter.lib.mail import placeholders


def environment(templates_dir: Path, frame: Frame) -> Environment:
    """Load templates from a directory; what is undefined raises an error."""
    templates = Environment(
        loader=FileSystemLoader(templates_dir),
        autoescape=lambda name: not (name or "").endswith(".txt.j2"),  # noqa: S701 - only plain text is not escaped
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.policies["ext.i18n.trimmed"] = True
    templates.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]
    templates.globals.update(
        frame=frame,
        placeholder=placeholders.placeholder,
        second_copy_begin=placeholders.SECOND_COPY_BEGIN,
        second_copy_end=placeholders.SECOND_COPY_END,
    )
    templates.filters["isolated"] = text_format.isolated
    return templates


@pass_context
def _gettext(context: Context, message: str) -> str:
    return i18n.translations(context["language"]).gettext(message)


@pass_context
def _ngettext(context: Context, singular: str, plural: str, count: int) -> str:
    return i18n.translations(context["language"]).ngettext(singular, plural, count)
