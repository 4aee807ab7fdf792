"""The link for the first owner: on a terminal only, and only while there is none."""

import dataclasses
import sys

import pytest

from newsletter.admins import accounts, first_owner, links
from newsletter.audit import actor
from newsletter.cli.admins import greeting
from newsletter.lib import db
from newsletter.models import Admin

pytestmark = pytest.mark.django_db
WHO = actor.from_rule("test")


@pytest.fixture
def said(capsys, monkeypatch):
    def told(*, terminal: bool) -> str:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
        greeting.say_where_the_desk_is()
        printed = capsys.readouterr()
        assert not printed.out
        return printed.err

    return told


def token(told: str) -> str:
    return told.split("/desk/welcome/")[1].split()[0]


def test_a_terminal_gets_a_link_until_it_was_used(said):
    first = token(said(terminal=True))
    second = token(said(terminal=True))
    assert links.find(first, now=db.now()) is None, "another start makes another link"
    assert links.use(second, "four words nobody guesses", now=db.now()).is_owner
    assert "welcome" not in said(terminal=True)
    assert Admin.objects.get().username == "owner"


def test_a_log_gets_none(said):
    told = said(terminal=False)
    assert "/desk/\n" in told and "welcome" not in told and "admin create" in told
    assert not Admin.objects.exists()


def test_nobody_else_gets_one(said):
    accounts.create("maria", role="owner", actor=WHO, now=db.now())
    assert "welcome" not in said(terminal=True)
    assert first_owner.link(name="demo", actor=WHO, now=db.now()) is None


def test_no_word_of_a_desk_that_is_off(said, settings):
    settings.NEWSLETTER = dataclasses.replace(settings.NEWSLETTER, desk=False)
    assert said(terminal=True) == ""


def test_a_demo_says_how_to_sign_in(capsys):
    greeting.say_how_to_open_the_demo()
    link = token(capsys.readouterr().err)
    links.use(link, "four words nobody guesses", now=db.now())
    greeting.say_how_to_open_the_demo()
    assert "the desk is at" in capsys.readouterr().err
