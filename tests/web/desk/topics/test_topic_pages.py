"""The list of topics, hold and release, urgent, retire and restore, history, matches, import and export."""

import re
from datetime import timedelta

from django.urls import reverse

from newsletter.lib import db
from newsletter.matching.topics.revisions import live_revision
from newsletter.models import Cadence, Match, Subscription, Topic, TopicRevision
from tests import factories
from tests.web.desk.topics.conftest import add, settle, stored


def page(answer) -> str:
    assert answer.status_code == 200, answer.content.decode()[:500]
    return re.sub(r"\s+", " ", answer.content.decode())


def followed(topic: Topic, count: int) -> None:
    for _ in range(count):
        factories.follow(factories.subscriber(), topic, Cadence.DAILY)


def test_the_list_has_what_needs_somebody_first_and_tells_no_small_number(as_editor, huawei):
    add("Ants", "ants")
    broken, held = add("Broken", "ants"), add("Held", "ants")
    TopicRevision.objects.filter(topic=broken).update(query="ants AND NOT ants")
    Topic.objects.filter(id=held.id).update(held_since=db.now())
    followed(huawei, 14)
    followed(held, 3)
    html = page(as_editor.get(reverse("desk_topics")))
    assert re.findall(r'class="name" href="[^"]*"><bdi>(\w+)<', html) == ["Broken", "Held", "Ants", "Huawei"]
    states = re.findall(r'<span class="state (\w+)">([\w ]+)</span>', html)
    assert states == [("bad", "broken"), ("warn", "on hold"), ("warn", "silent"), ("good", "live")]
    assert re.findall(r'data-label="Followers">([^<]+)<', html) == ["fewer than 10"] * 3 + ["10"]
    html = page(as_editor.get(reverse("desk_topics") + "?show=needs&q=bro"))
    assert re.findall(r'class="name" href="[^"]*"><bdi>(\w+)<', html) == ["Broken"]


def test_an_empty_list_teaches(as_editor):
    html = page(as_editor.get(reverse("desk_topics")))
    assert "There are no topics yet" in html and reverse("desk_topics_new") in html


def test_followers_are_told_in_parts_that_add_up(as_editor, huawei):
    from newsletter.matching.workshop.followers import count_followers
    from newsletter.models import Subscriber, Suppression

    followed(huawei, 30)
    people = list(Subscriber.objects.order_by("id"))
    Subscriber.objects.filter(id=people[0].id).update(paused_until=db.now() + timedelta(days=1))
    Subscriber.objects.filter(id__in=[person.id for person in people[1:3]]).update(state="pending")
    for person in people[3:6]:
        Suppression.objects.create(address_index=person.address_index, reason="bounce", since=db.now())
    counted = count_followers(huawei.id, now=db.now())
    assert (counted.total, counted.all_mailed, counted.paused, counted.suppressed, counted.waiting) == (30, 24, 1, 3, 2)
    html = page(as_editor.get(reverse("desk_topics_topic", args=[huawei.id])))
    assert "<dt>would be mailed</dt><dd>20</dd>" in html and "<dt>paused</dt><dd>fewer than 10</dd>" in html


def test_hold_and_release_say_what_waits(as_editor, huawei):
    hold, release = (reverse(f"desk_topics_{name}", args=[huawei.id]) for name in ("hold", "release"))
    Match.objects.update(owed_at=db.now())
    followed(huawei, 12)
    assert as_editor.post(hold).status_code == 303
    html = page(as_editor.get(release))
    assert "3 matches wait" in html and "They go to the 10 followers" in html and "Mail everything" not in html
    assert "has changed" in page(as_editor.post(release, {"mail": "before", "shown": "500"}))
    assert as_editor.post(release, {"mail": "before", "shown": "10"}).status_code == 303
    assert Match.objects.filter(owed_at__isnull=False).count() == 3
    assert Topic.objects.get(id=huawei.id).held_since is None


def test_retiring_says_what_goes_and_restoring_brings_back_all_but_the_followers(as_editor, huawei):
    followed(huawei, 12)
    retire, restore = (reverse(f"desk_topics_{name}", args=[huawei.id]) for name in ("retire", "restore"))
    html = page(as_editor.get(retire))
    assert "The subscriptions of 10 followers end" in html
    [shown] = re.findall(r'name="shown" value="([^"]*)"', html)
    assert as_editor.post(retire, {"shown": shown}).status_code == 303
    assert not Subscription.objects.filter(ended_at=None).exists()
    assert "This topic is retired" in page(as_editor.get(reverse("desk_topics_topic", args=[huawei.id])))
    late = stored("Huawei while it was retired")
    settle()
    assert as_editor.post(restore).status_code == 303
    settle()
    huawei.refresh_from_db()
    assert (huawei.state, live_revision(huawei).note) == ("active", "restored")
    assert Match.objects.get(item=late[0]).owed_at is None
    assert not Subscription.objects.filter(ended_at=None).exists()


def test_urgent_is_switched_on_and_off(as_editor, huawei):
    urgent = reverse("desk_topics_urgent", args=[huawei.id])
    for value, after in (("on", True), ("off", False)):
        assert as_editor.post(urgent, {"urgent": value}).status_code == 303
        assert Topic.objects.get(id=huawei.id).urgent is after


def test_history_shows_each_change_and_leads_back(as_editor, huawei):
    workshop, history, revert = (
        reverse(f"desk_topics_{name}", args=[huawei.id]) for name in ("topic", "history", "revert")
    )
    for n, query in ((1, "Huawei OR whale"), (2, "Huawei OR ship")):
        sent = {"do": "save", "query": query, "packs": ["companies", "institutions", "peoples", "persons"]}
        sent |= {"revision": n, "description": "The company.", "described": "The company.", "note": f"to {query}"}
        assert as_editor.post(workshop, sent).status_code == 303
    html = page(as_editor.get(f"{history}?from=1&to=3"))
    assert "From revision 1 to revision 3" in html
    assert "“<bdi>to Huawei OR ship</bdi>”" in html
    assert re.search(r"<del>.{0,50}removed:.{0,20}whale</del><ins>.{0,50}added:.{0,20}ship</ins>", html)
    assert as_editor.post(revert, {"n": "1"}).status_code == 303
    huawei.refresh_from_db()
    assert (live_revision(huawei).n, live_revision(huawei).query) == (4, "Huawei")
    assert "there is no such revision" in page(as_editor.post(revert, {"n": "77"}, follow=True))


def test_matches_are_listed_with_their_words_and_lead_to_the_item(as_editor, huawei):
    html = page(as_editor.get(reverse("desk_topics_matches", args=[huawei.id])))
    match = Match.objects.order_by("id").first()
    assert f"/desk/items/{match.item_id}/" in html
    assert "<mark>Huawei</mark> builds" in html and "<mark>华为</mark> opens" in html


def test_a_file_is_looked_at_before_it_is_imported(as_editor, huawei):
    text = (
        "topics:\n- {name: Huawei, query: Huawei OR 5G}\n- {name: Whales, query: whales}\n- {name: Bad, query: '((('}\n"
    )
    address = reverse("desk_topics_import")
    html = page(as_editor.post(address, {"text": text, "do": "preview"}))
    assert "1 new, 1 changed, 0 unchanged, 1 refused" in html and "a closing parenthesis is missing" in html
    assert Topic.objects.count() == 1
    [looked_at] = re.findall(r'name="looked_at" value="(\w+)"', html)
    changed = text.replace("whales", "ships")
    html = page(as_editor.post(address, {"text": changed, "do": "import", "looked_at": looked_at}))
    assert "1 new, 1 changed" in html and Topic.objects.count() == 1
    sent = {"text": text.replace("\n", "\r\n"), "do": "import", "looked_at": looked_at}
    html = page(as_editor.post(address, sent))
    assert "1 topics added, 1 changed, 1 refused" in html
    assert live_revision(Topic.objects.get(name="Huawei")).query == "Huawei OR 5G"
    html = page(as_editor.post(address, {"text": "no topics", "do": "preview"}))
    assert "'topics'" in html or "&#39;topics&#39;" in html
    exported = as_editor.get(reverse("desk_topics_export"))
    assert "attachment" in exported.headers["Content-Disposition"] and "Huawei OR 5G" in exported.content.decode()
    answer = as_editor.post(address, {"text": exported.content.decode(), "do": "preview"})
    assert "0 new, 0 changed, 2 unchanged, 0 refused" in page(answer)


def test_a_keyword_of_a_reader_has_no_page(as_editor):
    own = Topic.objects.create(kind="own", query_index=b"x", query_cipher=b"y", created_at=factories.NOW)
    for name in ("topic", "history", "matches", "retire", "release"):
        assert as_editor.get(reverse(f"desk_topics_{name}", args=[own.id])).status_code == 404
    assert as_editor.get("/desk/topics/99999999999999999999/").status_code == 404


def test_merging_says_what_it_does_and_moves_the_followers(as_editor, huawei):
    from newsletter.models import Notice

    phones = add("Phones", "Huawei OR phone")
    followed(huawei, 12)
    merge = reverse("desk_topics_merge", args=[huawei.id])
    assert "Choose a topic" in page(as_editor.get(merge))
    html = page(as_editor.get(f"{merge}?into={phones.id}"))
    assert "10 people follow the old topic" in html and "fewer than 10 people follow the new topic" in html
    assert "Gained: 0 items" in html and "Merge Huawei into Phones" in html
    assert as_editor.post(merge, {"into": huawei.id, "shown": "10"}).status_code == 200
    assert "has changed" in page(as_editor.post(merge, {"into": phones.id, "shown": "50"}))
    answer = as_editor.post(merge, {"into": phones.id, "shown": "10"})
    assert answer.url == reverse("desk_topics_topic", args=[phones.id])
    assert Subscription.objects.filter(topic=phones, ended_at=None).count() == 12
    assert Notice.objects.filter(kind="moved").count() == 12
    assert Topic.objects.get(id=huawei.id).merged_into_id == phones.id
