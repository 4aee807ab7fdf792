"""The Jinja2 environment of the pages."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from jinja2 import Environment, StrictUndefined


def environment(**options: Any) -> Environment:
    """Escapes everything, whatever a template is called, and stops at an unknown name."""
    options["autoescape"] = True
    options["undefined"] = StrictUndefined
    made = Environment(trim_blocks=True, lstrip_blocks=True, **options)
    made.globals.update(url=reverse, organisation=settings.NEWSLETTER.organisation, contact=settings.NEWSLETTER.contact)
    return made
