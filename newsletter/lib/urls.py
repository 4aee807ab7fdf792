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


#: Path of the page that sets an admin's password. Commands link to it, mails never do.
WELCOME_PATH = "/desk/welcome/{token}"


def welcome_url(base: str, token: str) -> str:
    """Return the absolute URL of an admin's one-time link; `base` as for `url`."""
    return base.rstrip("/") + WELCOME_PATH.format(token=token)
