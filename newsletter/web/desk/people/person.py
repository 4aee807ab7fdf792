"""One person: what is stored of them, what they were mailed and why, and what they agreed to."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from newsletter import wiring
from newsletter.delivery import erasure
from newsletter.delivery.ledger.mails_of_person import PersonMail, given_articles, mails_of
from newsletter.subscribers import lookup_and_erase
from newsletter.subscribers.person.consent import consent_sentences
from newsletter.subscribers.person.read import Person, read_person
from newsletter.web.desk.page import page
from newsletter.web.desk.people import words
from newsletter.web.desk.people.forms import (
    FindPersonForm,
    FollowTopicForm,
    LiftAddressForm,
    LiftForm,
    PersonTimeForm,
    SubscribePersonForm,
    SuppressForm,
)
from newsletter.web.desk.people.handles import OpenPerson, read_handle
from newsletter.web.desk.people.overview import overview

#: Mails that the page names; the others are counted.
_SHOWN = 50


@require_safe
def show(request: HttpRequest, handle: str) -> HttpResponse:
    """The person behind a handle, or that nobody has the address."""
    found = read_handle(request, handle, now=timezone.now())
    if found is None:
        return overview(request, FindPersonForm(), closed=True, status=404)
    person = None if found.subscriber_id is None else read_person(found.subscriber_id, vault=wiring.vault())
    return nobody(request, handle, found) if person is None else _person(request, handle, person, found.until)


def nobody(request: HttpRequest, handle: str, found: OpenPerson, *forms: Any, status: int = 200) -> HttpResponse:
    """Nobody has the address: what can be done with one all the same. `forms` replace those that were typed wrong."""
    shown = {type(form): form for form in (SubscribePersonForm(), SuppressForm(), LiftAddressForm(), *forms)}
    context = {
        "handle": handle,
        "suppressed": words.suppressed(found.suppressed) if found.suppressed else None,
        "until": found.until,
        "add": shown[SubscribePersonForm],
        "suppress": shown[SuppressForm],
        "lift": shown[LiftAddressForm],
    }
    return page(request, "desk/people/nobody.html.j2", context, status=status)


def _person(request: HttpRequest, handle: str, person: Person, until: datetime) -> HttpResponse:
    mails = mails_of(person.subscriber_id)
    given = given_articles(person.subscriber_id, list(person.names), now=timezone.now())
    state, tone = words.STATES[person.state]  # type: ignore[index]
    time = person.mail_time
    context = {
        "handle": handle,
        "person": person,
        "address": person.address.value,
        "until": until,
        "state": (gettext(state), tone),
        "origin": words.origin(person.consent.origin),
        "live": [(words.name_of(row), words.origin(row.source), row) for row in person.live],
        "ended": [(words.name_of(row), words.ended(row.ended_reason), row) for row in person.ended],
        "suppressed": words.suppressed(person.suppression.reason) if person.suppression else None,
        "cadences": words.CADENCES,
        "weekday": words.WEEKDAYS[time.weekday][1],
        "mails": [_mail(mail, person) for mail in mails[:_SHOWN]],
        "more_mails": max(0, len(mails) - _SHOWN),
        "articles": given.count,
        "by_topic": [
            (words.name_of(row), given.by_topic[row.topic_id])
            for row in (*person.live, *person.ended)
            if row.topic_id in given.by_topic
        ],
        "consent": consent_sentences(person.consent),
        "add": FollowTopicForm(without=tuple(row.topic_id for row in person.live)),
        "time": PersonTimeForm(initial=vars(time)),
        "lift": LiftForm(),
    }
    return page(request, "desk/people/person.html.j2", context)


def _mail(mail: PersonMail, person: Person) -> dict[str, Any]:
    names = person.names
    found = [names[topic_id] for topic_id in mail.topic_ids if topic_id in names]
    why = [words.own_word(name) if isinstance(name, int) else name for name in found]
    state, tone = words.MAIL_STATES[mail.state]  # type: ignore[index]
    return {
        "at": mail.planned_at,
        "kind": words.mail_kind(mail.kind),
        "articles": mail.articles,
        "why": why or ([gettext("something they no longer follow")] if mail.topic_ids else []),
        "state": (gettext(state), tone),
    }


@require_safe
def before_stop(request: HttpRequest, handle: str) -> HttpResponse:
    """What ends when all mail to somebody is stopped."""
    person = _open(request, handle)
    if person is None:
        return overview(request, FindPersonForm(), closed=True, status=404)
    return page(request, "desk/people/stop.html.j2", {"handle": handle, "subscriptions": len(person.live)})


@require_safe
def before_erase(request: HttpRequest, handle: str) -> HttpResponse:
    """What goes and what stays when somebody is erased."""
    person = _open(request, handle)
    rows = None if person is None else lookup_and_erase.rows_to_erase(person.subscriber_id)
    if person is None or rows is None:
        return overview(request, FindPersonForm(), closed=True, status=404)
    context = {
        "handle": handle,
        "rows": rows,
        "own_keywords": Counter(row.own_word is not None for row in person.live)[True],
        "mails": erasure.mails_of_erased(person.subscriber_id),
        "suppressed": words.suppressed(rows.suppressed) if rows.suppressed else None,
    }
    return page(request, "desk/people/erase.html.j2", context)


def _open(request: HttpRequest, handle: str) -> Person | None:
    found = read_handle(request, handle, now=timezone.now())
    if found is None or found.subscriber_id is None:
        return None
    return read_person(found.subscriber_id, vault=wiring.vault())
