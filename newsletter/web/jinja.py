"""The Jinja2 environment of the pages."""

import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from jinja2 import Environment, StrictUndefined

from newsletter.web import brand, filters


def environment(**options: Any) -> Environment:
    """Escapes everything, whatever a template is called, and stops at an unknown name."""
    options |= {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True, "autoescape": True}
    made = Environment(extensions=["jinja2.ext.i18n"], **options)  # noqa: S701 - autoescape is on, two lines up
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext, translation.ngettext, newstyle=True, pgettext=translation.pgettext
    )
    made.filters.update(filters.FILTERS)
    config = settings.NEWSLETTER
    made.globals.update(
        url=reverse,
        organisation=config.organisation,
        contact=config.contact,
        letter=config.brand.letter,
        has_logo=config.brand.logo is not None,
        brand_version=brand.version(config.brand),
        stylesheet=_static("style.css"),
        desk_stylesheet=_static("desk.css"),
        section_stylesheets={file.stem: _static(f"desk/{file.name}") for file in _section_files()},
        desk_script=_static("desk.js"),
        passkey_script=_static("passkeys.js"),
    )
    return made


def _section_files() -> list[Path]:
    """What only the pages of one section of the desk use: `desk/topics.css` for `desk_topics`."""
    return sorted((settings.STATIC_ROOT / "desk").glob("*.css"))


def _static(name: str) -> str:
    """The address of a static file, with a word that changes with its content: browsers keep it for a day."""
    content = (settings.STATIC_ROOT / name).read_bytes()
    return f"{settings.STATIC_URL}{name}?{hashlib.sha256(content).hexdigest()[:8]}"
