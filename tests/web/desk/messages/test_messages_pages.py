"""The pages of messages: writing, testing, asking for release, sending by those who may, stopping."""

import re
from datetime import timedelta

import pytest

from newsletter import delivery_wiring, edition_wiring, wiring
from newsletter.audit import actor
from newsletter.delivery.gates import sending_gate
from newsletter.editions.messages import drafts, planning
from newsletter.lib import db
from newsletter.models import Admin, AuditEntry, Delivery, Message
from tests import factories
from tests.web.desk.conftest import signed_in

pytestmark = pytest.mark.django_db
LIST = "/desk/mailings/messages/"


def hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found is not None, name
    return found[1]


def text(audience: object = "everybody", **values: str) -> dict[str, str]:
    return {"audience": str(audience), "subject": "We move", "markdown": "On *Monday*.", "action": "preview"} | values


def drafted(client, **values: str) -> Message:
    assert client.post(f"{LIST}new/", text(**values)).status_code == 303
    return Message.objects.latest("id")


def page_of(row: Message) -> str:
    return f"{LIST}{row.id}/"


def test_an_editor_writes_previews_and_asks_for_release(as_editor, as_owner) -> None:
    assert "There are no messages yet" in as_editor.get(LIST).content.decode()
    row = drafted(as_editor)
    html = as_editor.get(page_of(row)).content.decode()
    assert "Ask for release" in html and 'sandbox=""' in html
    assert "A message from" in html
    frame = as_editor.get(f"{page_of(row)}html/1/")
    assert "<em>Monday</em>" in frame.content.decode()
    assert "sandbox" in frame.headers["Content-Security-Policy"]
    assert "On Monday." in as_editor.get(f"{page_of(row)}?view=text").content.decode()
    assert as_editor.get(f"{page_of(row)}send/").status_code == 403
    assert as_editor.post(f"{page_of(row)}send-to-all/", {"when": "now"}).status_code == 403
    assert as_editor.post(f"{page_of(row)}begin/").status_code == 403
    assert as_editor.post(f"{page_of(row)}ask/").status_code == 303
    html = as_owner.get(LIST).content.decode()
    assert "waits for release" in html and "Needs a decision" in html


def test_what_two_people_typed_is_not_lost(as_editor, as_owner) -> None:
    row = drafted(as_editor)
    revision = hidden(as_editor.get(page_of(row)).content.decode(), "revision")
    assert as_owner.post(page_of(row), text(markdown="On *Tuesday*.", revision=revision)).status_code == 303
    html = as_editor.post(page_of(row), text(markdown="On *Friday*.", revision=revision)).content.decode()
    assert "Take the other text" in html and "<ins>*Friday*.</ins>" in html and "On *Friday*." in html
    again = hidden(html, "revision")
    assert as_editor.post(page_of(row), text(markdown="On *Friday*.", revision=again)).status_code == 303
    row.refresh_from_db()
    assert row.markdown == "On *Friday*."


def test_to_everybody_by_the_owner_with_the_number_that_was_shown(as_owner, owner) -> None:
    people = [factories.subscriber() for _ in range(3)]
    row = drafted(as_owner)
    assert as_owner.get(f"{page_of(row)}send/").headers["Location"].endswith("/send-to-all/")
    assert signed_in(owner, recent=False).get(f"{page_of(row)}send-to-all/").status_code in (302, 303)
    html = as_owner.get(f"{page_of(row)}send-to-all/").content.decode()
    assert "Send to 3 people" in html
    final = {"when": "now", "people": hidden(html, "people"), "revision": hidden(html, "revision")}
    factories.subscriber()
    html = as_owner.post(f"{page_of(row)}send-to-all/", final).content.decode()
    assert "has changed" in html
    final["people"] = hidden(html, "people")
    assert as_owner.post(f"{page_of(row)}send-to-all/", final).status_code == 303
    planning.plan_messages(edition_wiring.composer(), clock=db.now)
    assert Delivery.objects.count() == len(people) + 1
    html = as_owner.get(page_of(row)).content.decode()
    assert "Start at once" in html and "<b>4</b> planned" in html
    answer = as_owner.post(f"{page_of(row)}stop/", follow=True).content.decode()
    assert "Stopped before anything left." in answer
    assert as_owner.post(f"{page_of(row)}copy/").status_code == 303
    assert Message.objects.count() == 2


def test_to_a_topic_by_an_editor_who_may_send_at_a_time() -> None:
    topic = factories.topic("Harbour")
    for _ in range(3):
        factories.follow(factories.subscriber(), topic)
    sender = Admin.objects.create(
        username="sam", role="editor", may_send=True, created_at=db.now(), time_zone="Europe/Berlin"
    )
    client = signed_in(sender)
    row = drafted(client, audience=topic.id)
    html = client.get(f"{page_of(row)}send/").content.decode()
    assert "This mails fewer than 10 people (Followers of Harbour)." in html and "Europe/Berlin" in html
    day = (db.now() + timedelta(days=2)).date().isoformat()
    final = {
        "when": "at",
        "day": day,
        "time": "09:00",
        "people": hidden(html, "people"),
        "revision": hidden(html, "revision"),
    }
    assert "Choose a day and a time" in client.post(f"{page_of(row)}send/", {**final, "day": ""}).content.decode()
    assert client.post(f"{page_of(row)}send/", final).status_code == 303
    html = client.get(page_of(row)).content.decode()
    assert "chosen in Europe/Berlin by sam" in html and "Back to draft" in html
    assert client.post(f"{page_of(row)}draft/").status_code == 303
    row.refresh_from_db()
    assert row.state == Message.State.DRAFT
    assert (
        "nobody"
        in client.get(f"{page_of(drafted(client, audience=factories.topic().id))}send/").content.decode().lower()
    )


def test_a_test_goes_to_one_address_that_is_kept_nowhere(as_editor, tmp_path, monkeypatch) -> None:
    sending_gate.create_gate(wiring.vault())
    row = drafted(as_editor)
    handed: list = []

    class Recorder:
        name = "recorder"

        def hand_over(self, parcels):
            from newsletter.lib.mail.provider_interface import Accepted

            handed.extend(parcels)
            return {0: Accepted()}

    monkeypatch.setattr(delivery_wiring, "providers", lambda: {1: Recorder()})
    html = as_editor.post(f"{page_of(row)}test/", {"address": "ed@paper.org"}, follow=True).content.decode()
    assert "recorder accepted the test" in html and "ed@paper.org" not in html
    [parcel] = handed
    assert parcel.letter.subject == "We move"
    assert parcel.unsubscribe.endswith("/one-click/test")
    assert not Delivery.objects.exists()
    assert "ed@paper.org" not in str(list(AuditEntry.objects.values()))
    html = as_editor.post(f"{page_of(row)}test/", {"address": "nobody"}, follow=True).content.decode()
    assert len(handed) == 1 and 'role="alert"' in html
    for _ in range(12):
        html = as_editor.post(f"{page_of(row)}test/", {"address": "ed@paper.org"}, follow=True).content.decode()
    assert len(handed) == 10 and "within an hour" in html, "who may not send must not mail people by tests"


def test_the_list_costs_the_same_however_many(as_editor, django_assert_max_num_queries) -> None:
    for number in range(30):
        drafts.write_message(
            drafts.MessageText(f"Message {number}", "Text", None), actor=actor.from_rule("a test"), now=db.now()
        )
    with django_assert_max_num_queries(14):
        html = as_editor.get(LIST).content.decode()
    assert "after=" in html
