"""Row 51: nothing is kept longer than the table of retention says, in any table, and an erased person leaves a hash only."""

from datetime import datetime, timedelta

import pytest
from django.apps import apps
from structlog.testing import capture_logs

from newsletter import wiring
from newsletter.cli.service.doctor import work
from newsletter.lib import db
from newsletter.lib.pruning import Rule
from newsletter.models import (
    DeliveryItem,
    EditionBody,
    Match,
    Notice,
    Subscriber,
    Subscription,
    Suppression,
    Topic,
)
from newsletter.worker import retention, run_once, tasks
from tests.security import installation

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)
#: Tables that the clock leaves alone, with what stays in them after 400 days: written by hand, whatever the rules say.
FOR_GOOD = {
    *("feed", "entry", "story", "item", "item_version", "citation", "hand_item", "message"),
    *("look", "rhythm", "alias_pack", "index_state", "gate", "provider_gate", "route", "breaker", "pulse"),
    *("notice_budget", "admin", "audit_entry"),  # the last for two years
}
#: What the road makes no row of.
UNUSED = {"api_token", "keyed_answer"}
EMPTY = {
    "shared_cache",
    *("host", "incident", "fetch", "notice", "occasion", "gathering", "edition", "edition_body", "soft_bounce"),
    *("batch", "delivery", "delivery_item", "attempt", "event", "left_over"),
    *("worker", "sign_up_request", "mailbox_limit", "network_count"),
}
LIVING = {"subscriber", "subscription", "suppression", "consent", "topic", "topic_revision", "anchor", "match"}


@pytest.fixture
def lived(settings, httpserver, tmp_path):
    with installation.installed(settings, httpserver, tmp_path):
        installation.lived_in()
        yield


def test_every_table_has_a_rule() -> None:
    models = set(apps.get_app_config("newsletter").get_models())
    assert {table.model for rule in retention.RULES for table in rule.tables} == models
    assert {model._meta.db_table for model in models} == FOR_GOOD | EMPTY | LIVING | UNUSED
    assert all(rule.kept and rule.why and rule.how for rule in retention.RULES)


def test_after_400_days_nothing_is_older_than_its_rule_allows(lived, monkeypatch) -> None:
    before = installation.counts()
    missing = {name for name in EMPTY | LIVING if not before[name]}
    assert not missing, f"the road made no row of {missing}: nothing is tried of them"
    young = retention.prune(now=db.now() + timedelta(hours=1))
    assert young.pop("network_count") == before["network_count"]  # counts of an hour that is over
    assert sum(young.values()) == 0
    assert installation.counts() == before | {"network_count": 0}  # all else is young
    later = db.now() + 400 * DAY
    kept_by_mails = {"batch", "attempt", "occasion", "gathering", "edition"}
    already_gone = {"network_count"}
    assert (
        set(retention.overdue(later))
        >= (EMPTY | {"subscriber", "subscription", "suppression", "match"}) - kept_by_mails - already_gone
    )
    # one who left, one who unsubscribed, one who never answered
    assert retention.overdue(later)["subscriber"] == 3
    assert work.kept_too_long().verdict == "ok"
    with monkeypatch.context() as clock:
        clock.setattr(db, "now", lambda: later)
        assert work.kept_too_long().verdict == "warn"
    retention.prune(now=later)
    after = installation.counts()
    assert retention.overdue(later) == {}
    assert {name: after[name] for name in EMPTY} == dict.fromkeys(EMPTY, 0)
    assert {name: after[name] for name in FOR_GOOD} == {name: before[name] for name in FOR_GOOD}
    assert_only_the_living_are_left(later)
    assert sum(retention.prune(now=later).values()) == 0


def assert_only_the_living_are_left(later: datetime) -> None:
    stay = {
        installation.person(f"{name}@example.org").id
        for name in ("stays", "daily", "weekly", "confirmed", "bounced", "complained", "softly")
    }
    assert set(Subscriber.objects.values_list("id", flat=True)) == stay
    assert set(Subscriber.objects.values_list("state", flat=True)) == {"active"}
    assert not Subscription.objects.exclude(ended_at=None, subscriber_id__in=stay).exists()
    reasons = sorted(Suppression.objects.values_list("reason", flat=True))
    assert reasons == ["complaint", "erased", "left", "unsubscribe"]
    # the keywords of those who left, were erased or unsubscribed are gone; the shared ones and those of others stay
    own = Topic.objects.filter(kind="own")
    assert own.count() == 5  # Zzyzx, quinquereme cable, and one each of bounced, complained and softly
    assert set(own) == {one.topic for one in Subscription.objects.filter(topic__kind="own").select_related("topic")}
    assert not Match.objects.filter(topic__kind="own").exists()
    assert Match.objects.filter(topic__kind="curated").exists()


def test_an_erased_person_leaves_a_hash_and_numbers_at_once(settings, httpserver, tmp_path) -> None:
    with installation.installed(settings, httpserver, tmp_path):
        installation.road.subscribe("stays@example.org", "Uyghur")
        gone = installation.road.subscribe("erased@example.org", "Uyghur", keywords=("Zzyzx",))
        run_once.once(wait=timedelta(0))
        installation.sign_up("erased@example.org")
        zzyzx = Topic.objects.get(kind="own")
        said = EditionBody.objects.filter(edition__delivery__subscriber_id=gone).get()
        assert "Zzyzx" in opened(said) and Match.objects.filter(topic=zzyzx).exists()
        installation.erase("erased@example.org")
        assert not Topic.objects.filter(kind="own").exists() and not Match.objects.filter(topic_id=zzyzx.id).exists()
        assert not Notice.objects.exists()
        assert ["Zzyzx" in opened(body) for body in EditionBody.objects.all()] == [False]  # the other's mail
        assert not DeliveryItem.objects.filter(subscriber_id=gone).exists() and DeliveryItem.objects.exists()
        assert all(gone not in keys(model) for model in (Subscriber, Subscription))
        assert Suppression.objects.get().reason == "erased"


def opened(body: EditionBody) -> str:
    return wiring.vault().decrypt(body.key_id, body.cipher, handle=bytes(body.edition.key), column="body")


def keys(model: type) -> set[int]:
    field = "id" if model is Subscriber else "subscriber_id"
    return set(model.objects.values_list(field, flat=True))  # type: ignore[attr-defined]


def test_the_hourly_task_deletes_by_the_table_and_a_rule_that_fails_holds_up_no_other(lived, monkeypatch) -> None:
    def breaks(*_: object) -> dict[str, int]:
        raise LookupError("canary@example.org")

    broken = Rule("all of it", "", "", "", (), breaks)
    monkeypatch.setattr(retention, "RULES", (broken, *retention.RULES))
    later = db.now() + 400 * DAY
    monkeypatch.setattr(db, "now", lambda: later)
    with capture_logs() as told:
        tasks.run("prune")
    assert retention.overdue(later) == {}
    failed = [(one["rule"], one["error"]) for one in told if one["event"] == "prune_failed"]
    assert failed == [("all of it", "LookupError")]
    assert "canary" not in str(told)
