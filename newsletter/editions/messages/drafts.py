"""Write, change, copy and list messages. Nothing here sends: `schedule.py` does that."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, record
from newsletter.lib.refused import Refused
from newsletter.models import Message, Topic

LONGEST_SUBJECT = 120
#: Characters of a text: with more, mail programs would cut the mail off.
LONGEST = 60_000
#: States in which a message can be changed.
OPEN = (Message.State.DRAFT, Message.State.ASKED)


@dataclass(frozen=True)
class MessageText:
    """What is written, and to whom: the followers of a topic; None: everybody."""

    subject: str = field(repr=False)
    markdown: str = field(repr=False)
    topic_id: int | None


def find_message(message_id: int) -> Message | Refused:
    """The message with this number."""
    row = Message.objects.select_related("topic").filter(id=message_id).first()
    return row or Refused("there is no such message: see 'newsletter messages list'")


def text_problems(text: MessageText) -> dict[str, str]:
    """Why this cannot even be stored as a draft: field → what is wrong with it. A draft may be empty."""
    found: dict[str, str] = {}
    if len(" ".join(text.subject.split())) > LONGEST_SUBJECT:
        found["subject"] = f"the subject is longer than {LONGEST_SUBJECT} characters: shorten it"
    if len(text.markdown) > LONGEST:
        found["markdown"] = f"the text is longer than {LONGEST:,} characters: shorten it"
    if text.topic_id is not None and not _topic(text.topic_id):
        found["audience"] = "this topic is no longer offered: choose another"
    return found


def write_message(text: MessageText, *, actor: Actor, now: datetime) -> Message | Refused:
    """Store a new draft."""
    for reason in text_problems(text).values():
        return Refused(reason)
    with transaction.atomic():
        row = Message.objects.create(**_columns(text), written_by=actor.name, created_at=now, changed_at=now)
        record(actor, "message.write", thing_of(row), now=now)
    return row


def change_message(
    message_id: int, text: MessageText, *, revision: int | None = None, actor: Actor, now: datetime
) -> Message | Refused:
    """Change a draft; one that waits for release must be asked for again.

    `revision` is the one that was changed: with another one there meanwhile, nothing is saved.
    """
    for reason in text_problems(text).values():
        return Refused(reason)
    with transaction.atomic():
        row = Message.objects.select_for_update().filter(id=message_id).first()
        if row is None:
            return Refused("there is no such message: see 'newsletter messages list'")
        if row.state not in OPEN:
            return Refused("it is no draft any more: copy it as a draft")
        if revision is not None and row.revision != revision:
            return Refused("somebody else has changed it meanwhile: compare with the text that is there now")
        columns = _columns(text)
        if all(getattr(row, name) == value for name, value in columns.items()):
            return row
        row.revision, row.changed_at, row.state = row.revision + 1, now, Message.State.DRAFT
        for name, value in columns.items():
            setattr(row, name, value)
        row.save()
        record(actor, "message.change", thing_of(row), now=now, after={"revision": row.revision})
    return row


def copy_message(message_id: int, *, actor: Actor, now: datetime) -> Message | Refused:
    """A new draft with the text of a message, to the same people."""
    row = find_message(message_id)
    if isinstance(row, Refused):
        return row
    topic_id = row.topic_id if row.topic_id is None or _topic(row.topic_id) else None
    return write_message(MessageText(row.subject, row.markdown, topic_id), actor=actor, now=now)


def ask_for_release(message_id: int, *, actor: Actor, now: datetime) -> Message | Refused:
    """Ask somebody with the right to send to release a draft: it then waits on their Home."""
    with transaction.atomic():
        changed = Message.objects.filter(id=message_id, state=Message.State.DRAFT).update(
            state=Message.State.ASKED, changed_at=now
        )
        row = find_message(message_id)
        if isinstance(row, Refused):
            return row
        if not changed:
            return Refused(
                "it waits for release already" if row.state == Message.State.ASKED else "it is no draft any more"
            )
        record(actor, "message.ask", thing_of(row), now=now)
    return row


def thing_of(row: Message) -> Thing:
    """A message in the audit log."""
    return Thing("message", row.id, row.subject)


def _topic(topic_id: int) -> bool:
    return Topic.objects.filter(id=topic_id, kind=Topic.Kind.CURATED, state=Topic.State.ACTIVE).exists()


def _columns(text: MessageText) -> dict[str, object]:
    subject, markdown = " ".join(text.subject.split()), text.markdown.replace("\r\n", "\n")
    return {"subject": subject, "markdown": markdown, "topic_id": text.topic_id}
