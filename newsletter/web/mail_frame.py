"""The HTML of a mail as a document of its own, for a frame on a page of ours."""

import re
from typing import Final

from django.http import HttpResponse

#: A mail runs nothing, loads nothing, and is framed by our own page only.
MAIL_POLICY: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
#: How a mail is shown in a frame: name → (class of the frame, dark).
FRAMES: Final = {
    "phone": ("phone", 0),
    "desktop": ("desktop", 0),
    "phone-dark": ("phone", 1),
    "desktop-dark": ("desktop", 1),
}
_DARK_ONLY = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)")
_NEVER, _ALWAYS = "@media not all", "@media all"


def framed_mail(html: str, *, dark: bool | None = None) -> HttpResponse:
    """Answer with a mail. `dark`: its dark style always, or never; None: as the device has it."""
    if dark is not None:
        html = _DARK_ONLY.sub(_ALWAYS if dark else _NEVER, html)
    response = HttpResponse(html)
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
