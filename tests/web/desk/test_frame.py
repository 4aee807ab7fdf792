"""The frame around every page: who sees which section, and who may open what."""

from django.urls import reverse


def test_home_asks_a_stranger_to_sign_in_and_comes_back(client, db):
    answer = client.get("/desk/")
    assert answer.status_code == 302 and answer.url == "/desk/sign-in/?next=/desk/"


def test_an_editor_sees_no_section_of_people(as_editor):
    html = as_editor.get("/desk/").content.decode()
    assert 'aria-current="page">Home' in html
    assert "/desk/people/" not in html and "/desk/sending/" not in html


def test_the_policy_of_a_page_allows_no_inline_code(as_owner):
    policy = as_owner.get(reverse("desk_home")).headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy


def test_a_request_for_another_host_is_refused_with_a_page(client, db):
    assert client.get("/desk/", headers={"host": "elsewhere.example"}).status_code == 400
