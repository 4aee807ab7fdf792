"""OPML on pages: a file or its text, a line of report for each feed, and a download that can be read in again."""

from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from newsletter.models import AuditEntry, Feed
from tests import factories
from tests.web.desk.conftest import PASSWORD

FILE = b"""<opml><body>
<outline type='rss' text='Harbour' xmlUrl='https://harbour.example/feed'/>
<outline type='rss' text='Mountain' xmlUrl='https://mountain.example/feed'/>
<outline type='rss' text='Mountain' xmlUrl='https://mountain.example/feed'/>
<outline type='rss' text='Nothing'/>
</body></opml>"""


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("newsletter.worker.tasks.publish", lambda *_: None)


def post(client, **fields):
    return client.post(reverse("desk_feeds_import"), {"text": "", **fields})


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_each_line_of_a_file_is_reported(as_editor, feed):
    html = text(post(as_editor, file=SimpleUploadedFile("feeds.opml", FILE)))
    mountain = Feed.objects.get(title="Mountain")
    assert "1</b> <span>added" in html and "1</b> <span>were here already" in html and "1</b> <span>repeated" in html
    assert reverse("desk_feeds_feed", args=[mountain.id]) in html and "It has no xmlUrl." in html
    assert (mountain.announce, AuditEntry.objects.get(action="feed.add").actor) == ("none", "ed")
    again = text(post(as_editor, text=FILE.decode()))
    assert "0</b> <span>added" in again and Feed.objects.count() == 2


def test_what_cannot_be_read_says_why_and_keeps_what_was_typed(as_editor, db):
    assert "Choose an OPML file, or paste its text." in text(post(as_editor))
    answer = post(as_editor, text="<rss>mine</rss>")
    assert answer.status_code == 422 and "It is a feed itself" in text(answer) and "&lt;rss&gt;mine" in text(answer)
    bomb = b"<!DOCTYPE o [<!ENTITY a 'x'>]><opml/>"
    assert "DOCTYPE" in text(post(as_editor, file=SimpleUploadedFile("x", bomb)))


def test_a_file_up_to_a_megabyte_is_taken_in_memory_and_no_more(as_editor, db, settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "none")
    large = FILE.replace(b"<body>", b"<body><!--" + b"x" * 900_000 + b"-->")
    assert "2</b> <span>added" in text(post(as_editor, file=SimpleUploadedFile("feeds.opml", large)))
    for size in (1_005_000, 3_000_000):
        answer = post(as_editor, file=SimpleUploadedFile("feeds.opml", b" " * size))
        assert answer.status_code in (413, 422) and "larger than 1 MB" in text(answer)


def test_another_site_cannot_import(owner):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    answer = client.post(reverse("desk_feeds_import"), {"text": FILE.decode()})
    assert answer.status_code == 403 and not Feed.objects.exists()


def test_another_site_cannot_sign_somebody_in_by_it(owner):
    client = Client(enforce_csrf_checks=True)
    fields = {"sign_in_name": owner.username, "sign_in_password": PASSWORD, "text": FILE.decode()}
    for more in ({}, {"content_type": "application/x-www-form-urlencoded"}):
        answer = client.post(reverse("desk_feeds_import"), urlencode(fields) if more else fields, **more)
        assert answer.status_code == 403 and "session" not in client.cookies


def test_a_text_is_taken_on_the_way_of_signing_in_again(owner):
    client = Client()
    fields = {"sign_in_name": owner.username, "sign_in_password": PASSWORD, "text": FILE.decode()}
    answer = client.post(
        reverse("desk_feeds_import"), urlencode(fields), content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200 and Feed.objects.count() == 2


def test_the_download_can_be_read_in_again(as_editor, feed):
    Feed.objects.filter(id=feed.id).update(cut="never", only={"authors": ["LLD"]})
    answer = as_editor.get(reverse("desk_feeds_export"))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="feeds.opml"'
    Feed.objects.all().delete()
    post(as_editor, file=SimpleUploadedFile("feeds.opml", answer.content))
    back = Feed.objects.get()
    assert (back.url, back.cut, back.only) == (feed.url, "never", {"authors": ["LLD"]})
    assert back.created_at > factories.NOW
