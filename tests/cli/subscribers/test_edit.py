"""One person on the command line: shown, changed, ended and erased by an address that is typed, and never printed."""

import json
from collections.abc import Callable

import pytest

from newsletter.models import AuditEntry, Subscriber, Subscription, Suppression
from tests.cli.subscribers.test_add import ADDRESS, Command, command

pytestmark = pytest.mark.django_db
__all__ = ["command"]


@pytest.fixture
def on_canary(command: Command) -> Callable[..., tuple[int, str]]:
    """A command about ADDRESS, who follows two topics and a keyword; returns its code and everything it printed."""
    followed = ("--topic", "Cable", "--topic", "Seals", "--query", "zzyzx", "--cadence", "daily")
    assert command("subscribers", "add", ADDRESS, *followed, "--confirmed")[0] == 0

    def run(*words: str) -> tuple[int, str]:
        code, out, error = command("subscribers", *words, typed=f"{ADDRESS}\n")
        printed = out + error.replace("Address: ", "")
        assert "canary" not in printed.lower() and "zzyzx" not in printed.lower()
        return code, printed

    return run


def cadences() -> dict[str | None, str]:
    rows = Subscription.objects.filter(ended_at=None).select_related("topic")
    return {row.topic.name: row.get_cadence_display().lower() for row in rows}


def test_a_person_is_shown_with_what_they_agreed_to(on_canary):
    code, out = on_canary("show")
    assert code == 0 and "Cable: daily, from command" in out and "own keyword 1: daily" in out
    assert "0 mails of 14 days" in out and "entered that you had agreed elsewhere (wording 1)" in out
    shown = json.loads(on_canary("show", "--json", "--reason", "she asked")[1])
    looks = AuditEntry.objects.filter(action="subscriber.open").order_by("id")
    assert [look.reason for look in looks] == ["none given, on the command line", "she asked"]
    assert on_canary("show", "--reason", "canary@example.org asked")[0] == 1 and looks.count() == 2
    assert shown["live"][2]["own_word"] == 1 and "address" not in shown


def test_how_often_and_when_is_changed(on_canary):
    assert on_canary("edit", "--topic", "cable", "--keyword", "1", "--cadence", "weekly") == (
        0, "changed 2 subscriptions\n",
    )  # fmt: skip
    assert cadences() == {"Cable": "weekly", "Seals": "daily", None: "weekly"}
    assert on_canary("edit", "--cadence", "immediate", "--hour", "9")[0] == 0
    assert set(cadences().values()) == {"immediate"}
    assert Subscriber.objects.get().daily_rhythm.hour == 9
    assert on_canary("edit")[0] == 2 and on_canary("edit", "--topic", "Nothing", "--cadence", "daily")[0] == 1


def test_one_subscription_ends_or_all(on_canary):
    assert on_canary("end", "--topic", "Cable") == (0, "ended 1 subscription\n")
    assert on_canary("end", "--topic", "Cable")[0] == 1
    assert on_canary("end")[0] == 2
    assert on_canary("end", "--all", "--yes") == (0, "ended 2 subscriptions\n")
    assert Subscriber.objects.get().state == "left"
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["subscriber.add", "subscriber.end", "subscriber.leave"]


def test_erased_for_good_or_free_to_return(on_canary, command):
    code, out = on_canary("erase", "--may-return", "--yes")
    assert (code, out) == (0, "Erased. They can subscribe again.\n")
    assert not Subscriber.objects.exists() and not Suppression.objects.exists()
    assert on_canary("erase", "--yes")[0] == on_canary("edit", "--hour", "9")[0] == 1
    command("subscribers", "add", ADDRESS, "--topic", "Cable", "--confirmed")
    assert on_canary("erase", "--yes")[1] == "Erased. This address is never mailed again.\n"
    assert Suppression.objects.get().reason == "erased"
    assert on_canary("show")[1] == "nobody has this address, and it is not mailed: erased\n"
