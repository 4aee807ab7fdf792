"""The list of feeds and the page of one: what they show, what their buttons do, and what is gone."""

from datetime import timedelta

from django.urls import reverse

from newsletter.models import AuditEntry, Entry, Feed, Fetch, Incident, Item, ItemVersion, Match
from tests import factories

NOW = factories.NOW
LATER = NOW.replace(year=2100)


def make(number: int, **columns) -> Feed:
    values = {"title": f"Feed {number}", "created_at": NOW, "started_at": NOW, "next_fetch_at": LATER, **columns}
    return Feed.objects.create(url=f"https://{number}.example/feed", **values)


def change(client, **fields):
    return client.post(reverse("desk_feeds_change"), fields, follow=True)


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_an_empty_list_says_what_will_not_happen_and_how_to_end_it(as_editor):
    html = text(as_editor.get(reverse("desk_feeds")))
    assert "Nothing is read, matched or mailed until you add one" in html and reverse("desk_feeds_add") in html


def test_the_list_costs_the_same_for_any_number_of_feeds(as_editor, django_assert_max_num_queries):
    for number in range(60):
        make(number, failures=number % 3, failing_since=NOW, read_at=NOW - timedelta(hours=5))
    with django_assert_max_num_queries(20):
        html = text(as_editor.get(reverse("desk_feeds")))
    assert "Needs somebody (40)" in html and "40 feeds need somebody" in html
    assert "Failing since" in html and "Last good read" in html
    assert "after=" in html and html.count('name="feed"') == 50


def test_filters_are_in_the_address_and_come_back_after_a_change(as_editor):
    broken, _well = make(1, failures=2), make(2)
    html = text(as_editor.get(reverse("desk_feeds"), {"health": "broken", "words": "feed 1"}))
    assert "Feed 1" in html and "Feed 2" not in html
    answer = change(as_editor, action="pause", scope="listed", health="broken")
    assert answer.redirect_chain == [(reverse("desk_feeds") + "?health=broken", 303)]
    assert "“Feed 1” is paused." in text(answer) and "No feed fits this filter" in text(answer)
    assert Feed.objects.get(state="paused") == broken
    assert AuditEntry.objects.get(action="feed.pause").actor == "ed"


def test_all_that_fail_are_meant_as_they_are_now(as_editor):
    for number in range(4):
        make(number, failures=number % 2)
    answer = change(as_editor, action="check", scope="trouble")
    assert "2 feeds are read now." in text(answer)
    assert Feed.objects.filter(next_fetch_at__lt=LATER).count() == 2


def test_a_second_click_and_nothing_ticked_are_told(as_editor, feed):
    assert "Tick the feeds that you mean first." in text(change(as_editor, action="pause"))
    for _ in range(2):
        assert "“Harbour news” is paused." in text(change(as_editor, action="pause", feed=feed.id, back="feed"))
    assert AuditEntry.objects.filter(action="feed.pause").count() == 1
    Feed.objects.all().delete()
    assert "Somebody has removed what you chose" in text(change(as_editor, action="resume", feed=feed.id))


def test_removing_first_says_what_goes_and_stays(as_editor, feed):
    item = factories.item()
    Entry.objects.filter(id=item.entry_id).update(feed=feed)
    factories.match(item, factories.topic())
    answer = change(as_editor, action="remove", feed=feed.id)
    html = text(answer)
    assert answer.redirect_chain == [(f"{reverse('desk_feeds_remove')}?feeds={feed.id}", 303)]
    assert "1 entry" in html and "1 item, with its versions" in html and "1 match that is due" in html
    assert "mails that were sent or planned" in html
    factories_shown = {"feeds": str(feed.id), "shown": "1 30"}
    moved = as_editor.post(reverse("desk_feeds_remove"), factories_shown)
    assert (
        moved.status_code == 409 and "Nothing was removed" in text(moved) and Feed.objects.filter(id=feed.id).exists()
    )
    done = as_editor.post(reverse("desk_feeds_remove"), {**factories_shown, "shown": "1 1"}, follow=True)
    assert "“Harbour news” is removed." in text(done)
    assert not Feed.objects.filter(id=feed.id).exists() and not Match.objects.exists()
    again = as_editor.post(reverse("desk_feeds_remove"), {**factories_shown, "shown": "1 1"})
    assert again.status_code == 404 and "Back to Feeds" in text(again)


def test_the_page_of_a_feed_shows_what_it_did(as_editor, feed, django_assert_max_num_queries):
    for number in range(30):
        entry = Entry.objects.create(
            feed=feed, guid=str(number), title=f"Entry {number}", published_at=NOW - timedelta(hours=number),
            first_seen_at=NOW, last_seen_at=NOW, raw_hash=b"", cut_reason="treated as one article",
        )  # fmt: skip
        item = Item.objects.create(entry=entry, key=b"whole", first_seen_at=NOW, announced=number > 0)
        ItemVersion.objects.create(
            item=item, n=1, title=f"Item {number}", text="x", html="x", meaning_hash=b"", seen_at=NOW
        )
    Fetch.objects.create(feed=feed, at=NOW, ms=300, status=404, error="there is nothing at this address")
    for _ in range(5):
        Fetch.objects.create(feed=feed, at=NOW, ms=200, status=200, new=3)
    Incident.objects.create(feed=feed, kind="gap", opened_at=NOW, detail="entries came and went")
    with django_assert_max_num_queries(28):
        html = text(as_editor.get(reverse("desk_feeds_feed", args=[feed.id])))
    assert (
        "6 reads, 1 of them failed" in html and 'class="marked"' in html and "there is nothing at this address" in html
    )
    assert "Entries came and went." in html and "Catch up" in html
    assert "Item 0" in html and "never mailed" in html and "Item 25" not in html
    last = Entry.objects.get(guid="24").id
    assert f"after={last}" in html
    older = text(as_editor.get(reverse("desk_feeds_feed", args=[feed.id]), {"after": last}))
    assert "Item 25" in older and "Item 29" in older and "Item 24" not in older


def test_an_incident_is_closed_once(as_editor, feed):
    incident = Incident.objects.create(feed=feed, kind="gap", opened_at=NOW, detail="entries came and went")
    url = reverse("desk_feeds_incident", args=[feed.id, incident.id])
    assert "The incident is closed." in text(as_editor.post(url, follow=True))
    assert "closed already" in text(as_editor.post(url, follow=True))


def test_a_feed_that_is_gone_says_so_with_a_way_back(as_editor, db):
    answer = as_editor.get(reverse("desk_feeds_feed", args=[77]))
    assert answer.status_code == 404 and "Back to Feeds" in text(answer)


def test_the_archive_is_asked_for_shown_and_stopped(as_editor, feed):
    url = reverse("desk_feeds_archive", args=[feed.id])
    asked = as_editor.post(url, {"action": "start", "pages": "20"}, follow=True)
    assert "page 0 of 20" in text(asked) and "data-refresh" in text(asked)
    assert "is being read already" in text(as_editor.post(url, {"action": "start"}, follow=True))
    assert "100,000" in text(as_editor.post(url, {"action": "start", "pages": "x"}, follow=True))
    assert "What was read stays" in text(as_editor.post(url, {"action": "stop"}, follow=True))
    assert "is not being read" in text(as_editor.post(url, {"action": "stop"}, follow=True))
    assert "stopped reading the archive of the feed" in text(as_editor.get(reverse("desk_feeds_feed", args=[feed.id])))
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["feed.backfill", "feed.backfill_stop"]
    assert Feed.objects.get().backfill_due_at is None


def test_numbers_and_words_that_nobody_types_break_nothing(as_editor, feed):
    huge = "9" * 30
    page, lists = reverse("desk_feeds_feed", args=[feed.id]), reverse("desk_feeds")
    for path in (
        f"{page}?after={huge}",
        f"{page}?after=²",
        f"{lists}?after={huge}&health=x",
        f"{lists}?health=late",
    ):
        assert as_editor.get(path).status_code == 200, path
    for path in (
        f"/desk/feeds/{huge}/",
        f"/desk/feeds/{huge}/settings/",
        f"{reverse('desk_feeds_remove')}?feeds={'7' * 9}",
    ):
        assert as_editor.get(path).status_code == 404, path
    assert as_editor.post(f"/desk/feeds/{huge}/archive/", {"action": "start"}).status_code == 303
    assert as_editor.post(f"{page}incidents/{huge}/").status_code == 303
    for fields in (
        {},
        {"action": "explode"},
        {"action": "pause", "feed": ["x", huge, "²"]},
        {"action": "remove", "scope": "y"},
    ):
        assert as_editor.post(reverse("desk_feeds_change"), fields).status_code == 303, fields
    fields = {"url": "x", "announce": "none", "seen_at": "²", "shown-all": "²"}
    assert as_editor.post(reverse("desk_feeds_add"), fields).status_code == 422
    assert as_editor.post(reverse("desk_feeds_add"), {"url": "\x00"}).status_code == 400
