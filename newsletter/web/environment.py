"""The Jinja2 environment of the pages."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from jinja2 import Environment, StrictUndefined


def environment(**options: Any) -> Environment:
    """Escapes everything, whatever a template is called, and stops at an unknown name."""
    options |= {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True, "autoescape": True}
    made = Environment(**options)  # noqa: S701 - autoescape is on, two lines up
    made.globals.update(url=reverse, organisation=settings.NEWSLETTER.organisation, contact=settings.NEWSLETTER.contact)
    return made
