"""The requests that public forms store, and the text under which they are sealed."""

import json
from dataclasses import dataclass, field
from typing import Any

from newsletter.lib.mail.provider_interface import Address
from newsletter.models import SignUpRequest
from newsletter.subscribers import choices as stored_choices
from newsletter.subscribers.choices import Choices

Kind = SignUpRequest.Kind


@dataclass(frozen=True)
class SignUp:
    """Somebody typed an address and choices."""

    address: Address
    choices: Choices = field(repr=False)
    kind = Kind.SIGN_UP


@dataclass(frozen=True)
class LinkByAddress:
    """Somebody typed an address to get a link to its preferences."""

    address: Address
    kind = Kind.LINK


@dataclass(frozen=True)
class LinkByToken:
    """Somebody pressed the button behind the link at the foot of a mail."""

    token: str = field(repr=False)
    kind = Kind.HOLDER


@dataclass(frozen=True)
class Renewal:
    """Somebody asked for a fresh link in place of an expired one."""

    token: str = field(repr=False)
    kind = Kind.HOLDER


FormRequest = SignUp | LinkByAddress | LinkByToken | Renewal


def to_json(request: FormRequest) -> str:
    """Write a request as JSON, to be sealed in its row."""
    match request:
        case SignUp(address, choices):
            values: dict[str, str] = {"address": address.value, "choices": stored_choices.to_json(choices)}
        case LinkByAddress(address):
            values = {"address": address.value}
        case LinkByToken(token) | Renewal(token):
            values = {"token": token}
    return json.dumps({"type": type(request).__name__, **values}, separators=(",", ":"))


def from_json(text: str) -> FormRequest:
    """Read what `to_json` wrote.

    Raises:
        ValueError: another version of this program wrote it.
    """
    values: dict[str, Any] = json.loads(text)
    match values:
        case {"type": "SignUp", "address": address, "choices": choices}:
            return SignUp(Address(address), stored_choices.from_json(choices))
        case {"type": "LinkByAddress", "address": address}:
            return LinkByAddress(Address(address))
        case {"type": "LinkByToken", "token": token}:
            return LinkByToken(token)
        case {"type": "Renewal", "token": token}:
            return Renewal(token)
    raise ValueError("a sign-up request of a kind that this version does not know")
