"""mailings: the same numbers and words as the pages, and nothing that says how many follow one topic."""

import json

import pytest

from newsletter.cli import invoke
from newsletter.models import AuditEntry, Batch, Edition
from newsletter.worker import startup
from tests.delivery.mailings.mailing_rows import mailing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ready() -> None:
    startup.prepare()


def run(capsys, *words: str) -> tuple[int, str]:
    code = invoke(["mailings", *words])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_a_mailing_is_listed_shown_held_released_and_skipped(capsys):
    occasion = mailing(40, 3)
    code, printed = run(capsys, "list")
    assert code == 0 and occasion.key in printed and "planned 43 = waiting 43" in printed
    code, printed = run(capsys, "show", occasion.key)
    assert "40 subscribers, 'Item for 40'" in printed and "1 small edition: fewer than 10 subscribers" in printed
    assert "Item for 3" not in printed
    assert "stopped 43, 0 had gone" in run(capsys, "hold", occasion.key)[1]
    assert "on hold" in run(capsys, "show", occasion.key)[1]
    assert run(capsys, "release", occasion.key)[0] == 2, "it asks first"
    assert "43 go now" in run(capsys, "release", occasion.key, "--yes")[1]
    assert "cancelled 43, 0 had gone" in run(capsys, "skip", occasion.key, "--yes")[1]
    assert run(capsys, "skip", occasion.key, "--yes")[0] == 1
    assert list(AuditEntry.objects.values_list("action", "actor_kind")) == [
        ("mailing.hold", "command"),
        ("mailing.release", "command"),
        ("mailing.skip", "command"),
    ]


def test_an_edition_is_held_alone_and_counted_as_one_topic_is(capsys):
    occasion = mailing(40, 3)
    small = Edition.objects.latest("id")
    code, printed = run(capsys, "hold", occasion.key, "--edition", str(small.id))
    assert code == 0 and "stopped fewer than 10" in printed
    assert Batch.objects.get(state="parked").size == 3
    assert run(capsys, "hold", occasion.key, "--edition", "9999")[0] == 1


def test_few_people_are_not_counted_whatever_their_topics(capsys):
    occasion = mailing(1, 1, 1)
    for words in (["list"], ["show", occasion.key]):
        assert "planned fewer than 10 = waiting" in run(capsys, *words)[1]
    assert "stopped fewer than 10" in run(capsys, "hold", occasion.key)[1]


def test_json_and_mistakes(capsys):
    assert run(capsys, "show", "alert:99999") == (
        1,
        "newsletter: there is no such mailing: records are kept for 14 days\n",
    )
    assert run(capsys, "list", "--state", "sometimes")[0] == 2
    occasion = mailing(4, only_topic=True)
    _, printed = run(capsys, "list", "--json")
    [row] = json.loads(printed)
    assert (row["key"], row["mails"]) == (occasion.key, "planned fewer than 10 = waiting")
