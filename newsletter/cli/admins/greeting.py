"""What the service says at its start about signing in."""

import sys

from newsletter import wiring
from newsletter.admins import accounts, first_owner
from newsletter.audit import actor
from newsletter.cli.output import note, when
from newsletter.lib import db, urls


def say_where_the_desk_is() -> None:
    """Print the address of the desk. A link that makes somebody an owner is for a terminal only: all else may be a log."""
    config = wiring.config()
    if not config.desk:
        return
    note(f"desk:      {config.base_url.rstrip('/')}/desk/")
    if sys.stderr.isatty():
        link = first_owner.link(actor=actor.from_command(), now=db.now())
        if link is not None:
            until = f"works once, until {when(link.expires_at)} UTC"
            note(f"Nobody can sign in to the desk yet. This link sets the password of '{link.name}'; it {until}:")
            note(urls.welcome_url(config.base_url, link.token))
    elif not accounts.has_owner():
        note("Nobody can sign in to the desk yet: 'newsletter admin create NAME' prints a link for the first owner.")


def say_how_to_open_the_demo() -> None:
    """Print a link for the owner of a demo, or where those sign in who have a password."""
    base = wiring.config().base_url
    link = first_owner.link(name="demo", actor=actor.from_command(), now=db.now())
    if link is None:
        note(f"demo: the desk is at {base.rstrip('/')}/desk/")
    else:
        note(f"demo: choose a password for the desk, and you are signed in as '{link.name}':")
        note(f"      {urls.welcome_url(base, link.token)}")
