"""What programs do with the API, from the first feed to the erased subscriber."""

from newsletter.models import AuditEntry, Feed, Item, Subscriber, Topic
from tests import factories


def test_topics_are_added_changed_previewed_held_and_retired(api) -> None:
    call = api()
    factories.item("A cable in the harbour")
    status, topic = call("POST", "/topics", {"name": "Cable", "query": "cable", "description": "Cables"})
    assert (status, topic["state"], topic["followers"]) == (201, "active", {"shown": None, "fewer_than": 10})
    at = f"/topics/{topic['id']}"
    status, effect = call("POST", f"{at}/preview", {"query": "harbour"})
    assert (status, effect["items"], effect["before"]["items"], effect["after"]["items"]) == (200, 1, 1, 1)
    assert call("POST", f"{at}/revisions", {"query": "harbour OR cable"})[1]["revision"] == 2
    status, refused = call("POST", f"{at}/revisions", {"query": "harbour OR cable"})
    assert (status, refused["detail"]) == (409, "no change: the topic already looks like this")
    assert call("POST", f"{at}/revisions", {"query": "(cable"})[0] == 409
    assert [row["made_by"] for row in call("GET", f"{at}/revisions")[1]["rows"]] == ["read-topics-items-sending"] * 2
    assert call("POST", f"{at}/hold") == (200, {"waiting": 0})
    assert call("GET", at)[1]["state"] == "held"
    assert call("POST", f"{at}/release", {}) == (200, {"owed": 0, "dropped": 0})
    assert call("PATCH", at, {"description": "New", "urgent": True})[1]["description"] == "New"
    assert Topic.objects.get().urgent
    assert call("POST", f"{at}/retire")[1]["state"] == "retired"
    assert call("POST", f"{at}/hold")[0] == 404
    kinds = set(AuditEntry.objects.exclude(object_kind="token").values_list("actor_kind", flat=True))
    assert kinds == {"api"}


def test_lists_come_in_pages(api) -> None:
    call = api()
    for name in ("one", "two", "three"):
        factories.topic(name)
    first = call("GET", "/topics?limit=2")[1]
    assert [row["name"] for row in first["rows"]] == ["one", "two"] and first["after"]
    last = call("GET", f"/topics?limit=2&after={first['after']}")[1]
    assert ([row["name"] for row in last["rows"]], last["after"]) == (["three"], None)


def test_feeds_are_listed_changed_paused_and_removed(api) -> None:
    call = api()
    factories.item("Harbour")
    feed = Feed.objects.get()
    at = f"/feeds/{feed.id}"
    assert call("GET", "/feeds")[1]["rows"][0]["entries"] == 1
    assert call("PATCH", at, {"title": "Harbour news"})[1]["title"] == "Harbour news"
    assert call("PATCH", at, {"titel": "x"})[0] == 422
    assert call("POST", f"{at}/pause")[1]["state"] == "paused"
    assert call("POST", f"{at}/resume")[1]["state"] == "active"
    assert call("POST", "/feeds", {"url": "not a url at all"})[0] == 409
    assert call("DELETE", at) == (200, {"id": feed.id, "title": "Harbour news"})
    assert call("GET", at)[0] == 404


def test_items_are_published_found_and_shown(api) -> None:
    call = api()
    status, item = call("POST", "/items", {"title": "A hearing", "text": "Parliament *hears* witnesses."})
    assert (status, item["title"]) == (201, "A hearing")
    assert call("GET", f"/items/{item['id']}")[1]["text"].startswith("Parliament hears")
    assert [row["id"] for row in call("GET", "/items?q=witnesses")[1]["rows"]] == [item["id"]]
    assert call("GET", "/items?q=(witnesses")[0] == 422
    assert call("GET", "/items?since=0001-01-01T00:00:00%2B14:00")[0] == 422, "there is no such moment in UTC"
    assert Item.objects.count() == 1


def test_sending_is_paused_and_resumed(api) -> None:
    call = api()
    assert call("POST", "/sending/pause", {"why": "anna@example.org complained"})[0] == 409
    assert call("POST", "/sending/pause", {"why": "wrong address"})[1]["paused_by"] == "wrong address"
    assert call("GET", "/health")[1]["sending_paused_by"] == "wrong address"
    assert call("POST", "/sending/resume")[1]["open"] is True


def test_a_mail_is_explained_by_its_reference(api) -> None:
    call = api()
    factories.planned(1)
    from newsletter import wiring
    from newsletter.lib.mail.references import reference
    from newsletter.models import Delivery

    named = reference(Delivery.objects.get().id, wiring.vault())
    status, story = call("GET", f"/deliveries/{named}")
    assert (status, story["state"]) == (200, "planned") and "@" not in str(story) and "items" not in story
    assert call("GET", f"/deliveries/{named}/items")[0] == 403, "what was in it is a person's secret"
    assert api("people")("GET", f"/deliveries/{named}/items")[0] == 200
    assert call("POST", f"/deliveries/{named}/retry", {"why": "it is lost"})[0] == 409
    assert call("GET", f"/mailings/{call('GET', '/mailings')[1]['rows'][0]['id']}")[1]["planned"] == "fewer than 10"
    at = f"/mailings/{call('GET', '/mailings')[1]['rows'][0]['id']}"
    assert call("POST", f"{at}/hold") == (200, {"changed": "fewer than 10", "gone": "fewer than 10"})
    assert call("POST", f"{at}/hold")[0] == 409 and call("GET", at)[1]["held_at"]
    assert call("POST", f"{at}/release")[0] == 200 and call("POST", f"{at}/skip")[0] == 200
    assert call("GET", "/deliveries/0000-0000-00")[0] == 404


def test_one_subscriber_is_added_looked_up_ended_and_erased(api) -> None:
    call = api("people")
    topic = factories.topic("Cable")
    anna = {"address": "anna@example.org", "reason": "asked by phone"}
    assert call("POST", "/subscribers/lookup", anna)[0] == 404
    body = {"address": "anna@example.org", "topics": [topic.id], "confirmed": True, "cadence": "weekly"}
    assert call("POST", "/subscribers", body) == (201, {"state": "active", "followed": 1, "new": 1, "asked": False})
    status, stored = call("POST", "/subscribers/lookup", anna)
    assert (status, stored["state"], stored["subscriptions"][0]["name"]) == (200, "active", "Cable")
    assert "anna" not in str(stored)
    assert call("POST", "/subscribers/lookup", anna | {"reason": "anna@example.org"})[0] == 409
    assert call("POST", "/subscribers/end", anna | {"topics": [topic.id]}) == (200, {"ended": 1})
    assert call("POST", "/suppressions/lift", {"address": "anna@example.org"})[0] == 409
    assert call("POST", "/subscribers/erase", anna) == (200, {"erased": True})
    assert not Subscriber.objects.exists()
    (row,) = call("GET", "/suppressions")[1]["rows"]
    assert (row["reason"], row["sticky"]) == ("erased", True)
    written = str(list(AuditEntry.objects.values()))
    assert "anna" not in written and "Cable" not in written


def test_suppressions_are_added_and_lifted_in_pages(api) -> None:
    call = api("people")
    for name in ("a", "b", "c"):
        assert call("POST", "/suppressions", {"address": f"{name}@example.org"})[1]["added"]
    first = call("GET", "/suppressions?limit=2")[1]
    last = call("GET", f"/suppressions?limit=2&after={first['after']}")[1]
    assert (len(first["rows"]), len(last["rows"]), last["after"]) == (2, 1, None)
    assert call("POST", "/suppressions/lift", {"address": "a@example.org"}) == (200, {"reason": "admin"})
    assert api("read", "topics")("GET", "/subscribers/counts")[1] == {"pending": 0, "active": 0, "left": 0}


def test_every_error_is_a_problem(api) -> None:
    call = api()
    for method, path, body, status in (
        ("GET", "/nothing", None, 404),
        ("GET", "/", None, 404),
        ("GET", "/feeds/999", None, 404),
        ("DELETE", "/topics", None, 405),
        ("GET", "/feeds/x", None, 422),
        ("POST", "/topics", {"name": 5}, 422),
    ):
        answer = call.client.generic(method, f"/api/v1{path}", *([] if body is None else ["{}"]))
        assert answer.status_code == status, (path, answer.content)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.json()["status"], answer.headers["Cache-Control"]) == (status, "no-store")
    bad = call.client.post("/api/v1/topics", data="[", content_type="application/json")
    assert bad.status_code == 400
    large = call.client.post("/api/v1/topics", data="x" * 70_000, content_type="application/json")
    assert large.status_code == 413
    secret = call("POST", "/topics", {"name": "x" * 300, "query": "anna@example.org", "a": 1})[1]
    assert "anna" not in str(secret) and secret["errors"]
