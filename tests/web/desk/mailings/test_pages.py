"""The pages of mailings, walked through as an editor and as an owner."""

import re

import pytest
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsletter.delivery.mailings.sums import MailingSums, sums_of
from newsletter.lib.mail.references import reference
from newsletter.models import AuditEntry, Batch, BatchState, Consent, Delivery, Edition, Topic
from tests import factories
from tests.delivery.mailings.mailing_rows import mailing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _vault(monkeypatch):
    from newsletter import wiring

    wiring.vault.cache_clear()
    monkeypatch.setattr(wiring, "vault", lambda: factories.VAULT)
    factories.open_gate()


def text(answer) -> str:
    """The words of a page, without marks."""
    assert answer.status_code == 200, answer.status_code
    main = answer.content.decode().partition("<main")[2]
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())


def accept() -> None:
    for state in (BatchState.CLAIMED, BatchState.SENDING, BatchState.ACCEPTED):
        Batch.objects.update(state=state)


def in_doubt() -> None:
    for state in (BatchState.CLAIMED, BatchState.SENDING, BatchState.UNKNOWN):
        Batch.objects.update(state=state)


def test_the_list_teaches_while_it_is_empty(as_editor):
    assert "Nothing was mailed yet." in text(as_editor.get(reverse("desk_mailings")))


def test_the_list_shows_what_needs_a_decision_first_and_each_mailing_once(as_editor):
    doubtful = mailing(12)
    in_doubt()
    fine = mailing(1200)
    factories.planned(1, kind="notice")
    page = text(as_editor.get(reverse("desk_mailings")))
    assert "1,200 planned = 1,200 waiting" in page and "12 planned = 12 unknown" in page
    html = as_editor.get(reverse("desk_mailings")).content.decode()
    addresses = [reverse("desk_mailings_mailing", args=[each.id]) for each in (doubtful, fine)]
    assert [html.count(f'"{address}"') for address in addresses] == [1, 1]
    assert html.index(addresses[0]) < html.index(addresses[1])
    assert "No mailing is in this state." in text(as_editor.get(reverse("desk_mailings") + "?state=done"))


def test_a_page_costs_the_same_however_many_mailings_there_are(as_editor, django_assert_max_num_queries):
    from django.db import connection

    mailing(3)
    with CaptureQueriesContext(connection) as few:
        as_editor.get(reverse("desk_mailings"))
    for _ in range(6):
        mailing(2, 1)
    with django_assert_max_num_queries(len(few)):
        as_editor.get(reverse("desk_mailings"))


def test_a_mailing_for_one_topic_shows_how_many_only_rounded(as_editor, as_owner):
    few, many = mailing(4, only_topic=True), mailing(14, only_topic=True)
    for client in (as_editor, as_owner):
        page = re.sub(r"Topic \d+", "", text(client.get(reverse("desk_mailings"))))
        assert "fewer than 10 planned = waiting" in page and "10 planned = 10 waiting" in page
        assert "4 planned" not in page
    assert "fewer than 10" in text(as_owner.get(reverse("desk_mailings_mailing", args=[few.id])))
    assert many.id != few.id


def test_a_mailing_to_few_people_shows_no_number_whatever_their_topics(as_owner):
    """Three mails in three editions are three people, each of whose editions goes to fewer than ten."""
    occasion = mailing(1, 1, 1)
    for address in (reverse("desk_mailings"), reverse("desk_mailings_mailing", args=[occasion.id])):
        page = text(as_owner.get(address))
        assert "fewer than 10 planned = waiting" in page and "3 planned" not in page and "3 waiting" not in page
    held = text(as_owner.post(reverse("desk_mailings_hold", args=[occasion.id]), follow=True))
    assert "stopped fewer than 10, fewer than 10 had gone" in held
    release = as_owner.get(reverse("desk_mailings_release", args=[occasion.id])).content.decode()
    assert "<b>fewer than 10</b>" in release and 'name="shown" value="0"' in release
    Batch.objects.filter(id=Batch.objects.latest("id").id).update(held_at=None, reason="gave up")
    undecided = text(as_owner.get(reverse("desk_mailings_undecided")))
    assert "fewer than 10 mails" in undecided and "fewer than 10 mail " not in undecided


def test_a_mistyped_edition_is_not_the_whole_mailing(as_owner):
    occasion = mailing(12)
    for typed in ("x", "9" * 5_000, "²"):
        answer = as_owner.post(reverse("desk_mailings_hold", args=[occasion.id]), {"edition": typed})
        assert answer.status_code == 404 and not Batch.objects.filter(state="parked").exists()


def test_an_editor_sees_small_editions_in_sum_and_opens_none(as_editor, as_owner):
    occasion = mailing(40, 3, 2)
    large, small, _ = Edition.objects.order_by("id")
    page = text(as_editor.get(reverse("desk_mailings_mailing", args=[occasion.id])))
    assert "2 small editions" in page and "Item for 40" in page and "Item for 3" not in page
    assert "Item for 3" in text(as_owner.get(reverse("desk_mailings_mailing", args=[occasion.id])))
    address = reverse("desk_mailings_edition", args=[occasion.id, small.id])
    assert as_editor.get(address).status_code == 404
    assert as_editor.get(f"{address}html/0/").status_code == 404
    assert as_editor.post(reverse("desk_mailings_hold", args=[occasion.id]), {"edition": small.id}).status_code == 404
    shown = text(as_owner.get(address))
    assert "fewer than 10 planned = waiting" in shown
    assert "40 planned = 40 waiting" in text(
        as_editor.get(reverse("desk_mailings_edition", args=[occasion.id, large.id]))
    )


def test_the_mail_is_framed_from_its_own_path_with_its_own_policy(as_editor):
    occasion = mailing(40)
    edition = Edition.objects.get()
    address = reverse("desk_mailings_edition", args=[occasion.id, edition.id])
    html = as_editor.get(address).content.decode()
    assert f'sandbox="" src="{address}html/0/"' in html and "1 of 102 kB" in text(as_editor.get(address))
    framed = as_editor.get(f"{address}html/0/")
    assert framed.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert framed.headers["X-Frame-Options"] == "SAMEORIGIN"
    light, dark = framed.content.decode(), as_editor.get(f"{address}html/1/").content.decode()
    assert "@media not all {" in light and "@media all {" in dark and "prefers-color-scheme" not in light + dark
    assert "/unsubscribe/sample" in light and "0000-0000-00" in light and "@@nl-" not in light
    assert "Words 0000-0000-00" in text(as_editor.get(f"{address}?view=text"))
    assert "List-Unsubscribe-Post" in text(as_editor.get(f"{address}?view=headers"))
    assert "Content-Transfer-Encoding: quoted-printable" in text(as_editor.get(f"{address}?view=source"))


def test_an_edition_with_somebodys_keyword_is_shown_to_nobody(as_owner):
    Topic.objects.create(
        id=900,
        kind="own",
        query_index=b"i" * 32,
        query_cipher=b"c",
        key_id=1,
        state="active",
        revision_id=0,
        created_at=factories.NOW,
    )
    occasion = mailing(40, topics=[Topic.objects.get(id=900)])
    edition = Edition.objects.get()
    address = reverse("desk_mailings_edition", args=[occasion.id, edition.id])
    page = text(as_owner.get(address))
    assert "keywords of subscribers, which are shown to nobody" in page and "a keyword of their own" in page
    assert as_owner.get(f"{address}html/0/").status_code == 404


def test_hold_release_and_skip_answer_in_numbers(as_editor):
    occasion = mailing(40)
    here = reverse("desk_mailings_mailing", args=[occasion.id])
    answer = as_editor.post(reverse("desk_mailings_hold", args=[occasion.id]), follow=True)
    assert answer.redirect_chain == [(here, 303)] and "stopped 40, 0 had gone" in text(answer)
    assert re.search(r"On hold since .+ \. Release it before ", text(as_editor.get(here)))
    release = reverse("desk_mailings_release", args=[occasion.id])
    assert "Mails kept back: 40" in text(as_editor.get(release))
    assert Batch.objects.get().state == "parked", "looking changes nothing"
    moved = as_editor.post(release, {"shown": "20"})
    assert "The number has changed" in text(moved) and Batch.objects.get().state == "parked"
    assert "40 go now" in text(as_editor.post(release, {"shown": "40"}, follow=True))
    skip = reverse("desk_mailings_skip", args=[occasion.id])
    assert "The items count as given" in text(as_editor.get(skip))
    assert "cancelled 40, 0 had gone" in text(as_editor.post(skip, {"shown": "40"}, follow=True))
    assert sums_of([occasion.id])[occasion.id] == MailingSums(cancelled=40)
    assert "Nothing of it waits any more" in text(as_editor.get(skip))
    assert list(AuditEntry.objects.values_list("actor", "action")) == [
        ("ed", "mailing.hold"),
        ("ed", "mailing.release"),
        ("ed", "mailing.skip"),
    ]


def test_an_edition_is_held_by_its_own_button(as_editor):
    occasion = mailing(40, 20)
    small = Edition.objects.latest("id")
    answer = as_editor.post(reverse("desk_mailings_hold", args=[occasion.id]), {"edition": small.id}, follow=True)
    assert answer.redirect_chain[0][0] == reverse("desk_mailings_edition", args=[occasion.id, small.id])
    assert "stopped 20, fewer than 10 had gone" in text(answer)
    assert sums_of([occasion.id])[occasion.id] == MailingSums(waiting=40, parked=20, held=20)


def test_mails_in_doubt_are_settled_by_those_who_may_send(as_editor, as_owner):
    occasion = mailing(12)
    in_doubt()
    here = reverse("desk_mailings_undecided")
    assert "Deciding is for owners" in text(as_editor.get(here)) and "12 mails" in text(as_editor.get(here))
    code = reference(Delivery.objects.order_by("id")[0].id, factories.VAULT)
    form = {"reference": code, "decision": "accepted", "why": "it is in the log of the relay"}
    assert as_editor.post(reverse("desk_mailings_decide"), form).status_code == 403
    without_reason = as_owner.post(reverse("desk_mailings_decide"), form | {"why": ""}, follow=True)
    assert "Write what you know" in text(without_reason)
    assert "must not contain an address" in text(
        as_owner.post(reverse("desk_mailings_decide"), form | {"why": "a@example.org says so"}, follow=True)
    )
    assert "count as accepted" in text(as_owner.post(reverse("desk_mailings_decide"), form, follow=True))
    assert sums_of([occasion.id])[occasion.id] == MailingSums(accepted=12)
    row = AuditEntry.objects.get(action="delivery.resolve")
    assert row.after == {"state": "accepted", "all that share its outcome": True}, "no number of people"
    assert "No mail is in doubt or parked" in text(as_owner.get(here))


def test_parked_mails_are_sent_again_together_and_those_on_hold_stay(as_owner):
    parked, held = mailing(12), mailing(15)
    as_owner.post(reverse("desk_mailings_hold", args=[held.id]))
    Batch.objects.filter(occasion_id=parked.id).update(state=BatchState.PARKED, reason="gave up")
    here, again = reverse("desk_mailings_undecided"), reverse("desk_mailings_retry_parked")
    page = text(as_owner.get(here))
    assert "12 parked mails can be sent again" in page and "15 mails" not in page
    assert "has changed" in text(as_owner.post(again, {"shown": "40", "why": "it is back"}, follow=True))
    assert "planned again" in text(as_owner.post(again, {"shown": "12", "why": "the relay is back"}, follow=True))
    assert sums_of([parked.id])[parked.id] == MailingSums(waiting=12)
    assert sums_of([held.id])[held.id].held == 15


def test_a_mail_is_found_by_its_reference_and_its_content_is_for_owners(as_editor, as_owner):
    topic = factories.topic("Uyghur")
    mailing(3, topics=[topic])
    accept()
    delivery = Delivery.objects.order_by("id")[0]
    Consent.objects.create(subscriber_id=delivery.subscriber_id, what="alerts", wording_version=1, at=factories.NOW)
    code = reference(delivery.id, factories.VAULT)
    found = as_editor.post(reverse("desk_mailings_find"), {"reference": f" {code.lower()} "})
    assert (found.status_code, found.url) == (303, reverse("desk_mailings_delivery", args=[code]))
    page = text(as_editor.get(found.url))
    assert "Accepted by the provider" in page and "Planned" in page and "Uyghur" not in page and "Item for" not in page
    content = reverse("desk_mailings_delivery_content", args=[code])
    assert as_editor.get(content).status_code == 403
    shown = text(as_owner.get(content))
    assert "Uyghur" in shown and "Item for 3" in shown and "alerts" in shown and "example.org" not in shown


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("reader@example.org", "An address is not looked up"), ("0000-ZZZZ", "There is no such reference")],
)
def test_what_is_no_reference_is_refused_and_not_repeated(as_editor, typed, answer):
    page = as_editor.post(reverse("desk_mailings_find"), {"reference": typed}, follow=True)
    assert answer in text(page) and typed not in page.content.decode()


def test_those_that_failed_are_sent_again_by_who_may_send(as_editor, as_owner):
    occasion = mailing(40)
    for state in (BatchState.CLAIMED, BatchState.SENDING, BatchState.FAILED):
        Batch.objects.update(state=state)
    address = reverse("desk_mailings_resend", args=[occasion.id])
    assert address not in as_editor.get(reverse("desk_mailings_mailing", args=[occasion.id])).content.decode()
    assert as_editor.get(address).status_code == 403
    assert "Failed mails that can be sent again: 40" in text(as_owner.get(address))
    answer = as_owner.post(address, {"shown": "40", "why": "the account is open again"}, follow=True)
    assert "Planned again: 40." in text(answer)
    assert sums_of([occasion.id])[occasion.id] == MailingSums(waiting=40)
