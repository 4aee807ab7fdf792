"""Topics that doctor tells of: those that can never match, are silent, too loud or out of date."""

from datetime import timedelta

import pytest

from newsletter.matching.query.contradictions import contradiction
from newsletter.matching.query.language import parse
from newsletter.matching.topics import checks, limits, revisions, topics
from newsletter.models import IndexState, Topic, TopicRevision
from tests import factories
from tests.factories import ACTOR

NOW = factories.NOW


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("cable -cable", "-cable"),
        ('"submarine cable" -cable', "-cable"),
        ('"submarine cable" -"submarine cable"', "excluded"),
        ("(cable ship) -(cable OR fish)", "-cable"),
        ('="Radio Free" -free', "-free"),
        ('"submarine cable" -subm*', "-subm*"),
        ("title:cable -title:cable", "-title:cable"),
        ("title:cable -cable", "-cable"),
        ("cable lang:zh lang:ru", "no item is both"),
        ("(cable -cable) OR (ship -ship)", "excluded"),
    ],
)
def test_contradictory_queries_are_found(query: str, said: str) -> None:
    assert said in (contradiction(parse(query)) or "")


@pytest.mark.parametrize(
    "query",
    [
        "cable",
        "cable -ship",
        "cable -cabling",
        'cable -"submarine cable"',
        "cable -title:cable",
        "(cable OR ship) -cable",
        "cable lang:zh lang:zh-TW",
        "title:cable -author:cable",
        "NOT (cable ship) wire",
        " ".join(f"(a{n} OR b{n} OR c{n})" for n in range(6)),
    ],
)
def test_satisfiable_queries_are_not_contradictions(query: str) -> None:
    assert contradiction(parse(query)) is None


def add(name: str, query: str = "cable", **values: object) -> Topic:
    IndexState.objects.get_or_create(id=1)
    draft = revisions.new_draft(query, packs=())
    made = topics.add_draft(name, draft, now=NOW - timedelta(days=60), actor=ACTOR)
    Topic.objects.filter(id=made.topic_id).update(**values)
    return Topic.objects.get(id=made.topic_id)


def messages() -> dict[str, str]:
    return {one.name: one.message for one in checks.check_topics(now=NOW)}


@pytest.mark.django_db
def test_silent_excessive_and_broken_topics_are_reported() -> None:
    add("Silent")
    add("Young", created_at=NOW)
    add("Never", "cable -cable")
    broken = add("Broken")
    TopicRevision.objects.filter(topic=broken).update(query="((")
    loud, well = add("Loud"), add("Well")
    for number in range(7 * limits.MANY_PER_DAY + 1):
        item = factories.item(seen=NOW - timedelta(hours=number % 100))
        factories.match(item, loud)
    factories.match(item, well)
    found = messages()
    assert set(found) == {"Silent", "Never", "Broken", "Loud"}
    assert "60 days" in found["Silent"]
    assert "excluded" in found["Never"]
    assert "column" in found["Broken"]
    assert "30 items a day" in found["Loud"]
    assert {one.name for one in checks.check_topics(now=NOW) if one.broken} == {"Never", "Broken"}


@pytest.mark.django_db
def test_no_topic_is_silent_when_there_are_no_items(settings, tmp_path) -> None:
    add("Silent")
    assert messages() == {}


@pytest.mark.django_db
def test_newer_spellings_are_reported(settings, tmp_path) -> None:
    pack = "version: {}\ntitle: T\ngroups:\n  - {{id: lake, name: Lake, spellings: [Lake, Mere], from: A book}}\n"
    settings.PACKS_DIR = tmp_path
    (tmp_path / "waters.yaml").write_text(pack.format(1))
    IndexState.objects.get_or_create(id=1)
    topics.add_topic("Lakes", "Lake", now=NOW, actor=ACTOR)
    assert messages() == {}
    (tmp_path / "waters.yaml").write_text(pack.format(2))
    assert "waters 2" in messages()["Lakes"]
