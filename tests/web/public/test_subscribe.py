"""The subscribe page: what it says of mistakes, and that it says the same of every address."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from newsletter import wiring
from newsletter.lib import clock
from newsletter.models import Item, Notice, Subscriber, Subscription, Topic, TopicRevision
from newsletter.subscribers.choices import MailTime
from newsletter.subscribers.confirm import choices_of
from newsletter.web.public import page_data
from tests import factories
from tests.web.conftest import WORD, notice_token, press, signing_up
from tests.web.public.link_helpers import dump

pytestmark = pytest.mark.django_db


def wrong(page):
    return dict(re.findall(r'id="wrong-(\w+)">([^<]+)<', page.content.decode()))


def test_the_whole_way(browser, topics):
    page = press(browser, "/", **signing_up(topics, keyword=f" {WORD} ", cadence="3", weekday="4", hour="19"))
    assert (page.status_code, page.headers["Location"]) == (303, "/expect")
    notice = Notice.objects.get()
    chosen = choices_of(notice, wiring.vault())
    assert (chosen.topic_ids, chosen.keywords, chosen.cadence) == ((topics[0].id,), (WORD,), 3)
    assert (chosen.mail_time, chosen.discreet) == (MailTime("Europe/Berlin", 19, 4), True)
    path = reverse("confirm", args=[notice_token(notice)])
    shown = browser.get(path).content.decode()
    assert "Huawei" in shown and WORD in shown and "Friday" in shown and "bob@" not in shown
    assert not Subscription.objects.exists()
    done = press(browser, path)
    assert done.status_code == 200 and re.search(
        r"Your next email: on Friday.* at 19:00, your time", done.content.decode()
    )
    assert Subscription.objects.count() == 2
    assert press(browser, path).status_code == 410


def test_what_to_expect_names_sender_subject_and_a_human(client):
    page = client.get("/expect").content.decode()
    config = wiring.config()
    assert "Didn’t get it?" in page
    for words in (config.sender_name, config.sender_address, config.contact, "One such email a day"):
        assert words in page


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"address": "nonsense"}, {"address"}),
        ({"address": ""}, {"address"}),
        ({"topics": [], "keyword": ""}, {"topics"}),
        ({"topics": ["999"]}, {"topics"}),
        ({"topics": ["x"]}, {"topics"}),
        ({"zone": ""}, {"zone"}),
        ({"zone": "../etc/passwd"}, {"zone"}),
        ({"hour": "24"}, {"hour"}),
        ({"weekday": "-1"}, {"weekday"}),
        ({"cadence": ""}, {"cadence"}),
        ({"cadence": "4"}, {"cadence"}),
        ({"subject": "x"}, {"subject"}),
        ({"keyword": "x" * 201}, {"keyword"}),
        ({"keyword": "\n".join(f"word{n}" for n in range(11))}, {"keyword"}),
        ({"keyword": "Kashgar OR Aksu"}, {"keyword"}),
        ({"keyword": 'Kashgar\n"Aksu'}, {"keyword"}),
        ({"keyword": "-Kashgar"}, {"keyword"}),
        ({"keyword": "a\0b"}, {"keyword"}),
        ({"address": "", "zone": "", "topics": []}, {"address", "zone", "topics"}),
    ],
)
def test_mistakes_are_told_beside_their_field(client, topics, data, fields):
    page = client.post("/", signing_up(topics, **data))
    assert page.status_code == 422
    assert set(wrong(page)) == fields
    html = page.content.decode()
    assert 'role="alert"' in html and "<title>Error: " in html
    for field in fields:
        assert f'href="#{field}"' in html and f'id="{field}"' in html
    assert not Subscriber.objects.exists()


def test_what_was_typed_is_kept(client, topics):
    data = signing_up(topics, address="bob@", keyword=WORD, cadence="3", hour="19", weekday="4", subject="headlines")
    html = client.post("/", data).content.decode()
    assert 'value="bob@"' in html and f"{WORD}</textarea>" in html
    for kept in ('value="3" checked', 'value="19" selected', 'value="4" selected', 'value="headlines" checked'):
        assert kept in html
    assert f'value="{topics[0].id}" checked' in html and 'value="Europe/Berlin" selected' in html


def test_a_word_can_be_tried_before_an_address_is_given(client, topics):
    page = client.post("/", signing_up(topics, keyword=WORD, address="", zone="", preview="1"))
    html = page.content.decode()
    assert page.status_code == 200 and "matches" in html and not wrong(page)
    assert set(wrong(client.post("/", {"preview": "1"}))) == {"keyword"}
    assert not Notice.objects.exists()


def test_it_shows_what_would_have_matched_and_nothing_is_stored(client, topics):
    factories.item("A pipeline through Zzyzx", "Steel for Zzyzx.", seen=clock.utcnow() - timedelta(days=3))
    factories.item("Elsewhere", "Nothing of interest.", seen=clock.utcnow() - timedelta(days=3))
    factories.item("Zzyzx long ago", "Zzyzx.", seen=clock.utcnow() - timedelta(days=40))
    before = dump()
    html = client.post("/", {"preview": "1", "keyword": "zzyzx\r\nhuawei -cable"}).content.decode()
    assert "<bdi>zzyzx</bdi>” matches 1 article of" in html and "A pipeline through Zzyzx" in html
    assert "No article of the last 30 days matches “<bdi>huawei -cable</bdi>”" in html
    panel = html.partition('role="status"')[2].partition("</fieldset>")[0]
    assert "Elsewhere" not in panel and "long ago" not in panel
    assert dump() == before


def test_several_words_are_several_topics(browser, topics):
    press(browser, "/", **signing_up(topics, topics=[], keyword="Aksu\r\n\r\n  Kashgar  -sport\nAksu"))
    assert choices_of(Notice.objects.get(), wiring.vault()).keywords == ("Aksu", "Kashgar -sport")
    press(browser, reverse("confirm", args=[notice_token(Notice.objects.get())]))
    assert Subscription.objects.filter(topic__kind="own").count() == 2


def test_typed_words_are_escaped(client, topics):
    html = client.post("/", signing_up(topics, keyword="</textarea><b>x</b>", preview="1")).content.decode()
    assert "<b>x" not in html


def test_a_machine_that_fills_every_field_gets_the_same_page(client, topics):
    page = client.post("/", signing_up(topics, website="http://pills.example"))
    assert (page.status_code, page.headers["Location"]) == (303, "/expect")
    assert not Subscriber.objects.exists()


def test_mail_as_it_happens_asks_for_no_time_zone(browser, topics):
    assert press(browser, "/", **signing_up(topics, cadence="1", zone="")).status_code == 303
    assert choices_of(Notice.objects.get(), wiring.vault()).mail_time.zone == "UTC"
    assert set(wrong(press(browser, "/", **signing_up(topics, cadence="2", zone="")))) == {"zone"}


def test_a_card_has_the_description_and_the_spellings(client, topics):
    Topic.objects.filter(name="Uyghur").update(description="Xinjiang & its people")
    html = client.get("/").content.decode()
    card = html.partition("<bdi>Uyghur</bdi>")[2].partition("</label>")[0]
    assert "Xinjiang &amp; its people" in card and "<bdi>Uighur</bdi>, <bdi>维吾尔</bdi>" in card
    assert " OR " not in card and "<bdi>Uyghur</bdi>" not in card, "the name itself is no other spelling"
    assert "<small>" not in html.partition("<bdi>Huawei</bdi>")[2].partition("</label>")[0]


def test_the_newest_articles_are_shown_with_who_runs_this(client, topics, settings):
    settings.NEWSLETTER = replace(wiring.config(), organisation="The <Digest>", postal_address="1 Harbour Road")
    assert "No articles yet." in client.get("/").content.decode()
    for days in range(5):
        factories.item(f"Article <{days}>", "Text.", seen=clock.utcnow() - timedelta(days=days))
    page = client.get("/").content.decode()
    assert re.findall(r"<bdi>Article &lt;(\d)&gt;</bdi>", page) == ["0", "1", "2"]
    assert "The &lt;Digest&gt;" in page and "1 Harbour Road" in page
    Item.objects.exclude(itemversion__title="Article <4>").update(announced=False)
    assert [article.title for article in page_data.newest_articles()] == ["Article <4>"]


def test_for_the_newest_articles_not_every_stored_one_is_read(django_assert_num_queries):
    factories.item("Announced", "Text.", seen=clock.utcnow() - timedelta(days=9))
    stored = factories.item("Stored", "Text.")
    Item.objects.filter(id=stored.id).update(announced=False)
    with django_assert_num_queries(2) as captured:
        assert [article.title for article in page_data.newest_articles()] == ["Announced"]
    assert "LIMIT" in captured[0]["sql"] and f"IN ({Item.objects.get(announced=True).id})" in captured[1]["sql"]


def test_where_mail_goes_to_files_the_next_page_leads_to_them(client, settings):
    local = {"bind": ("127.0.0.1", 8000), "base_url": "http://127.0.0.1:8000"}
    settings.NEWSLETTER = replace(wiring.config(), **local)
    for path in ("/expect", "/asked"):
        assert 'href="/outbox/"' in client.get(path, HTTP_HOST="127.0.0.1:8000").content.decode()
        assert "/outbox/" not in client.get(path, HTTP_HOST="127.0.0.1:8000", HTTP_VIA="1.1 proxy").content.decode()


def test_a_topic_whose_name_it_does_not_look_for_says_what_it_looks_for(client, topics):
    TopicRevision.objects.filter(topic=topics[0]).update(query="chip OR semiconductor")
    card = client.get("/").content.decode().partition("<bdi>Huawei</bdi>")[2].partition("</label>")[0]
    assert "Looks for: <bdi>chip</bdi>, <bdi>semiconductor</bdi>" in card
