"""One person as an owner sees and changes them; whatever is recorded names nobody and no topic."""

import json

import pytest

from newsletter.audit.actor import Actor
from newsletter.lib.mail.provider_interface import Address
from newsletter.lib.refused import Refused
from newsletter.models import AuditEntry, Cadence, Match, Subscriber, Subscription, Suppression
from newsletter.subscribers.choices import MailTime
from newsletter.subscribers.person import edit
from newsletter.subscribers.person.consent import consent_sentences
from newsletter.subscribers.person.find import FoundPerson, find_person
from newsletter.subscribers.person.read import read_person
from tests import factories
from tests.subscribers.helpers import (
    ANNA,
    DAY,
    HOUR,
    NOW,
    VAULT,
    cancel_nothing,
    live,
    now_and_vault,
    subscribing,
    topic,
)

pytestmark = pytest.mark.django_db
ME = Actor("command", "me")


def own(name: str) -> Subscription:
    return live().get(topic__name=name)


def recorded() -> list[AuditEntry]:
    """All rows of the log; none of them joins a person and what they follow."""
    rows = list(AuditEntry.objects.order_by("id"))
    text = json.dumps([[row.action, row.object_name, row.before, row.after, row.reason] for row in rows])
    assert not any(word in text.lower() for word in ("anna", "example.org", "zzyzx", "uyghur", "huawei")), text
    return rows


def test_a_look_at_somebody_needs_a_reason_and_is_recorded(anna):
    find = {"now": NOW, "vault": VAULT, "actor": ME}
    assert isinstance(find_person(ANNA, " ", **find), Refused)
    assert isinstance(find_person(ANNA, "asked by anna@example.org", **find), Refused)
    assert not recorded()
    assert find_person(ANNA, "asked by phone", **find) == FoundPerson(anna.id)
    assert find_person(Address("nobody@example.org"), "asked by phone", **find) == FoundPerson(None)
    opened = [(row.action, row.object_id, row.reason) for row in recorded()]
    assert opened == [("subscriber.open", anna.id, "asked by phone"), ("subscriber.open", None, "asked by phone")]


def test_a_person_is_shown_with_numbers_for_their_own_keywords(anna):
    keyword = live().get(topic__kind="own")
    keyword.topic.revision_id = 1  # the tests of this room make topics without revisions
    factories.match(factories.item(), keyword.topic, owed_at=None)
    person = read_person(anna.id, vault=VAULT)
    assert person.address == ANNA and person.state == "active" and person.suppression is None
    assert [(row.name, row.own_word, row.cadence) for row in person.live] == [
        ("Huawei", None, Cadence.DAILY),
        ("Uyghur", None, Cadence.DAILY),
        (None, 1, Cadence.DAILY),
    ]
    assert person.live[2].last_match_at == Match.objects.get().matched_at
    assert person.names[keyword.topic_id] == 1
    assert "Zzyzx" not in repr(person) and "anna" not in repr(person)
    assert person.consent.origin == "page"
    first, second = consent_sentences(person.consent)
    assert first == "Your address was entered on 24 November 2026, 09:00 UTC."
    assert "the button in our confirmation mail was pressed" in second and "wording 1" in second


def test_consent_of_who_was_added_and_of_who_never_answered(db):
    asked = factories.subscriber("asked@example.org", state="pending")
    assert "Nobody has pressed" in consent_sentences(read_person(asked.id, vault=VAULT).consent)[1]
    assert read_person(999, vault=VAULT) is None


def test_changes_of_a_person_are_theirs_alone_and_recorded_without_topics(anna):
    cancelled: list[tuple[int, int]] = []
    huawei, other = own("Huawei"), factories.subscriber()
    theirs = factories.follow(other, topic("Other"))
    change = {"now": NOW + HOUR, "actor": ME}
    assert edit.change_cadence(anna.id, huawei.id, Cadence.WEEKLY, **change) == edit.PersonChanged(1)
    assert edit.change_cadence(anna.id, huawei.id, Cadence.WEEKLY, **change) == edit.PersonChanged(0)
    assert isinstance(edit.change_cadence(anna.id, theirs.id, Cadence.WEEKLY, **change), Refused)
    time = edit.with_mail_time(MailTime(), zone="Asia/Almaty", weekday=3)
    assert edit.change_mail_time(anna.id, time, subscribing(NOW), actor=ME) == edit.PersonChanged(3)
    assert read_person(anna.id, vault=VAULT).mail_time == MailTime("Asia/Almaty", 7, 3)
    added = edit.add_topics(anna.id, (topic("Tibet").id,), Cadence.DAILY, subscribing(NOW), actor=ME)
    assert (added.new, added.followed) == (1, 1)
    end = {**change, "cancel_planned": lambda *ids: cancelled.append(ids)}
    assert edit.end_subscription(anna.id, huawei.id, **end) == edit.PersonChanged(1)
    assert isinstance(edit.end_subscription(anna.id, huawei.id, **end), Refused)
    assert cancelled == [(anna.id, huawei.topic_id)]
    assert Subscription.objects.get(id=huawei.id).ended_reason == "admin"
    assert edit.end_all(anna.id, vault=VAULT, **change) == edit.PersonChanged(3)
    assert isinstance(edit.end_all(anna.id, vault=VAULT, **change), Refused)
    assert Subscriber.objects.get(id=anna.id).state == "left" and live().get() == theirs
    actions = [(row.action, row.object_id) for row in recorded()]
    assert {object_id for _, object_id in actions} == {anna.id}
    assert [action for action, _ in actions] == [
        "subscriber.cadence",
        "subscriber.mail_time",
        "subscriber.add",
        "subscriber.end",
        "subscriber.leave",
    ]


def test_who_left_or_is_suppressed_is_not_added_to(anna):
    edit.end_all(anna.id, actor=ME, **now_and_vault())
    add = ((topic("Tibet").id,), Cadence.DAILY, subscribing(NOW + DAY))
    refused = edit.add_topics(anna.id, *add, actor=ME)
    assert isinstance(refused, Refused) and "left" in refused.reason
    Suppression.objects.create(
        address_index=anna.address_index, reason=Suppression.Reason.COMPLAINT, sticky=True, since=NOW
    )
    refused = edit.add_topics(anna.id, *add, actor=ME)
    assert isinstance(refused, Refused) and "complaint" in refused.reason
    assert read_person(anna.id, vault=VAULT).suppression.for_good


def test_nobody_of_this_number(db):
    change = {"now": NOW, "actor": ME}
    for answer in (
        edit.change_cadence(1, 1, Cadence.DAILY, **change),
        edit.change_mail_time(1, MailTime(), subscribing(), actor=ME),
        edit.add_topics(1, (1,), Cadence.DAILY, subscribing(), actor=ME),
        edit.end_subscription(1, 1, **change, cancel_planned=cancel_nothing),
        edit.end_all(1, vault=VAULT, **change),
    ):
        assert isinstance(answer, Refused)
