"""The organisation's face on pages: its colours as a stylesheet, its icon, its logo.

They come from settings and not from files of ours, so they are views. Browsers keep them for a day; `version` changes with
their content.
"""

import hashlib
from dataclasses import astuple
from html import escape

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from newsletter import wiring
from newsletter.config.brand import Brand
from newsletter.lib.colors import Scheme

_A_DAY = "public, max-age=86400"
#: A picture from a file of the operator's is shown, and nothing in it runs or loads anything.
_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@require_safe
def colors(request: HttpRequest) -> HttpResponse:
    """The accent as custom properties, for light and for dark."""
    palette = wiring.config().brand.palette
    light, dark = _properties(palette.light), _properties(palette.dark)
    sheet = f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    return _kept(sheet.encode(), "text/css; charset=utf-8")


@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    """The logo, or the letter mark, as a picture for the browser's tab."""
    brand = wiring.config().brand
    return _picture(brand.logo or letter_mark(brand))


@require_safe
def logo(request: HttpRequest) -> HttpResponse:
    """The logo; 404 where there is none."""
    content = wiring.config().brand.logo
    if content is None:
        raise Http404
    return _picture(content)


def letter_mark(brand: Brand) -> bytes:
    """The first letter of the name on the accent colour, as SVG."""
    scheme = brand.palette.light
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<rect width="32" height="32" rx="7" fill="{scheme.accent}"/>'
        f'<text x="16" y="23" text-anchor="middle" font-family="Georgia, serif" font-size="20" font-weight="600" '
        f'fill="{scheme.on_accent}">{escape(brand.letter)}</text></svg>\n'
    ).encode()


def version(brand: Brand) -> str:
    """A short hash of all that these views serve."""
    digest = hashlib.sha256(repr(astuple(brand)).encode())
    return digest.hexdigest()[:8]


def _properties(scheme: Scheme) -> str:
    return (
        f"--accent: {scheme.accent}; --accent-strong: {scheme.accent_strong}; --on-accent: {scheme.on_accent}; "
        f"--tint: {scheme.tint};"
    )


def _picture(content: bytes) -> HttpResponse:
    response = _kept(content, "image/svg+xml")
    response.headers["Content-Security-Policy"] = _PICTURE_POLICY
    return response


def _kept(content: bytes, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response.headers["Cache-Control"] = _A_DAY
    return response
