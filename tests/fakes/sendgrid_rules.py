"""What SendGrid's mail/send refuses, as its documentation says; where that is vague, the stricter reading."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

RESERVED = frozenset(
    [
        "x-sg-id",
        "x-sg-eid",
        "received",
        "dkim-signature",
        "content-type",
        "content-transfer-encoding",
        "to",
        "from",
        "subject",
        "reply-to",
        "cc",
        "bcc",
    ]
)
TOP = frozenset(
    [
        "personalizations",
        "from",
        "reply_to",
        "subject",
        "content",
        "headers",
        "tracking_settings",
        "custom_args",
        "mail_settings",
    ]
)
PERSONAL = frozenset(["to", "headers", "substitutions", "custom_args"])
_OWN_BOUNCES = {"bypass_bounce_management": {"enable": True}}
TRACKING = ("click_tracking", "open_tracking", "subscription_tracking", "ganalytics")
_ADDRESS = re.compile(r"[^\s@<>,;\"]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
#: The API's published schema, where the samples are beside the checkout.
SCHEMA = Path(__file__).resolve().parents[2].parent / "shared" / "samples" / "sendgrid-mail-send.schema.json"

Complaint = tuple[str, str]


def complaints(body: Any) -> list[Complaint]:
    """(field, message) of everything wrong with a request's body; empty: it would be taken."""
    if not isinstance(body, dict):
        return [("", "Bad Request")]
    return [*_schema(body), *_top(body), *_content(body), *_tracking(body), *_personalizations(body)]


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()) if SCHEMA.is_file() else True)


def _schema(body: dict[str, Any]) -> Iterator[Complaint]:
    for error in _validator().iter_errors(body):
        yield ".".join(str(step) for step in error.absolute_path), "Does not fit the schema."


def _top(body: dict[str, Any]) -> Iterator[Complaint]:
    for name in sorted(body.keys() - TOP):
        yield name, "We never send this."
    if body.get("mail_settings", _OWN_BOUNCES) != _OWN_BOUNCES:
        yield "mail_settings", "We send no other setting than this."
    for name in ("from", "reply_to"):
        yield from _person(name, body.get(name))
    if not (isinstance(body.get("subject"), str) and body["subject"]):
        yield "subject", "The subject is required."
    yield from _headers("headers", body.get("headers", {}))


def _person(field: str, person: Any) -> Iterator[Complaint]:
    if not isinstance(person, dict) or person.keys() - {"email", "name"}:
        yield field, "Must be an object with an email, and perhaps a name."
        return
    if not (isinstance(person.get("email"), str) and _ADDRESS.fullmatch(person["email"])):
        yield f"{field}.email", f"Does not contain a valid address. You have sent {person.get('email')}"
    name = person.get("name", "")
    if not isinstance(name, str) or (re.search("[,;]", name) and not re.fullmatch('".*"', name)):
        yield f"{field}.name", "The name must be text, in quotes where it holds a comma or semicolon."


def _content(body: dict[str, Any]) -> Iterator[Complaint]:
    content = body.get("content")
    if not isinstance(content, list) or not content:
        yield "content", "There must be at least one content."
        return
    if [part.get("type") for part in content] not in (["text/plain"], ["text/plain", "text/html"]):
        yield "content", "If present, text/plain must be first, followed by text/html."
    for number, part in enumerate(content):
        if part.keys() != {"type", "value"} or not isinstance(part["value"], str) or not part["value"]:
            yield f"content.{number}.value", "The content value must be a string of at least one character."


def _tracking(body: dict[str, Any]) -> Iterator[Complaint]:
    settings = body.get("tracking_settings", {})
    for name in TRACKING:
        if settings.get(name, {}).get("enable") is not False:
            yield f"tracking_settings.{name}", "Not switched off: the account's own setting would hold."


def _headers(field: str, headers: Any) -> Iterator[Complaint]:
    if not isinstance(headers, dict):
        yield field, "Must be an object."
        return
    for name, value in headers.items():
        if name.lower() in RESERVED:
            yield f"{field}.{name}", f"{name} is reserved."
        if not re.fullmatch(r"[!-9;-~]+", name) or not isinstance(value, str) or re.search(r"[^ -~]", value):
            yield f"{field}.{name}", "Header names and values are text in ASCII without line breaks."


def _personalizations(body: dict[str, Any]) -> Iterator[Complaint]:
    found = body.get("personalizations")
    if not isinstance(found, list) or not 1 <= len(found) <= 1000:
        yield "personalizations", "There must be 1 to 1000 personalizations."
        return
    seen: set[str] = set()
    for number, one in enumerate(found):
        field = f"personalizations.{number}"
        if not isinstance(one, dict) or one.keys() - PERSONAL:
            yield field, "Something in it we never send."
            continue
        yield from _recipient(field, one.get("to"), seen)
        yield from _headers(f"{field}.headers", one.get("headers", {}))
        yield from _texts(f"{field}.substitutions", one.get("substitutions", {}))
        yield from _texts(f"{field}.custom_args", one.get("custom_args", {}))


def _recipient(field: str, to: Any, seen: set[str]) -> Iterator[Complaint]:
    if not isinstance(to, list) or len(to) != 1:
        yield f"{field}.to", "Exactly one recipient: anything else shows people to each other."
        return
    yield from _person(f"{field}.to.0", to[0])
    address = str(to[0].get("email") if isinstance(to[0], dict) else "").lower()
    if address in seen:
        yield f"{field}.to", f"Each unique email address may be there once. You have included {address} more than once."
    seen.add(address)


def _texts(field: str, values: Any) -> Iterator[Complaint]:
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        yield field, "Must be an object of texts."
        return
    if sum(len(name.encode()) + len(value.encode()) for name, value in values.items()) >= 10_000:
        yield field, "May not exceed 10,000 bytes."
