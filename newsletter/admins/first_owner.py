"""The first owner, who is there before anybody else can sign in."""

from datetime import datetime
from typing import Final

from django.db import transaction

from newsletter.admins import accounts, links
from newsletter.admins.links import AccountLink
from newsletter.audit.actor import Actor
from newsletter.lib.refused import Refused
from newsletter.models import Admin

#: What the first owner is called where nobody has chosen a name.
NAME: Final = "owner"


@transaction.atomic
def link(*, name: str = NAME, actor: Actor, now: datetime) -> AccountLink | None:
    """Return a link with which the first owner sets a password; None if there is an owner already.

    An owner of this name who never used the link gets another.
    """
    owners = list(Admin.objects.filter(role=Admin.Role.OWNER))
    if not owners:
        made = accounts.create(name, role=Admin.Role.OWNER, actor=actor, now=now)
        return None if isinstance(made, Refused) else made
    waits = len(owners) == 1 and owners[0].username == name and not owners[0].has_usable_password()
    return links.make(owners[0], now=now) if waits and owners[0].is_active else None
