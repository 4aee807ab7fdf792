"""Who makes a change."""

import getpass
from dataclasses import dataclass

from newsletter.models import Admin, AuditEntry

Kind = AuditEntry.ActorKind


@dataclass(frozen=True)
class Actor:
    """Who makes a change, and how: on a page, by a command, by the API, or as a rule of the service."""

    kind: str
    name: str
    admin_id: int | None = None


def from_admin(admin: Admin) -> Actor:
    """Somebody who is signed in to the desk."""
    return Actor(Kind.ADMIN, admin.username, admin.id)


def from_command() -> Actor:
    """Whoever runs this command: the operating system's user."""
    try:
        return Actor(Kind.COMMAND, getpass.getuser())
    except (KeyError, OSError):  # a container without a name for its user
        return Actor(Kind.COMMAND, "unknown")


def from_token(name: str) -> Actor:
    """A program that uses the API with this token."""
    return Actor(Kind.API, name)


def from_rule(name: str) -> Actor:
    """A rule of the service, which acts by itself."""
    return Actor(Kind.RULE, name)
