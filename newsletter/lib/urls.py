"""Paths and absolute URLs of the pages that mails link to. Tokens are the only secrets in them."""

#: Path of each page that mails link to, by name; `{token}` is filled in.
PATHS = {
    "confirm": "/confirm/{token}",
    "preferences": "/preferences/{token}",
    "ask": "/ask/{token}",
    "unsubscribe": "/unsubscribe/{token}",
    "one_click": "/one-click/{token}",
    "objection": "/objection/{token}",
}


def path(name: str, token: str) -> str:
    """Return the path of page `name` for `token`."""
    return PATHS[name].format(token=token)


def url(base: str, name: str, token: str) -> str:
    """Return the absolute URL of page `name`; `base` is NEWSLETTER_BASE_URL, with or without a closing slash."""
    return base.rstrip("/") + path(name, token)
