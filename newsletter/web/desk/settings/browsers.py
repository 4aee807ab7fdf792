"""What a browser is called, from its User-Agent: enough to know one's own again."""

from django.utils.translation import gettext

#: The first that is found counts: Edge and Opera also say Chrome, and Chrome says Safari.
_BROWSERS = (
    *(("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox")),
    *(("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl")),
)
_SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("Mac OS", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


def browser_name(agent: str) -> str:
    """Return "Firefox on Linux", or what of it is known."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), gettext("Unknown browser"))
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system} if system else browser
