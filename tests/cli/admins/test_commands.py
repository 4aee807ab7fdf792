"""`newsletter admin`: accounts of the desk from the command line."""

import json

import pytest

from newsletter.admins import links
from newsletter.cli import invoke
from newsletter.lib import db
from newsletter.models import AuditEntry
from newsletter.worker import startup

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys):
    startup.prepare()

    def told(words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert invoke(words.split()) == code
        printed = capsys.readouterr()
        return printed.out + printed.err

    return told


def token(told: str) -> str:
    return told.split("/desk/welcome/")[1].split()[0].strip('",')


def test_create_prints_a_link_once(run):
    told = run("admin create maria")
    assert "maria is an owner" in told and "until" in told
    assert links.find(token(told), now=db.now()).username == "maria"
    assert "already" in run("admin create Maria", 1)
    assert token(told) not in run("admin list --json") + str(AuditEntry.objects.values())


def test_a_colleague_from_invitation_to_the_end(run):
    links.use(token(run("admin create maria")), "four words nobody guesses", now=db.now())
    document = json.loads(run("admin invite jonas --role editor --may-send --json"))
    assert document["role"] == "editor" and "/desk/welcome/" in document["link"]
    assert "may not send" in run("admin edit jonas --no-may-send")
    assert "is an owner and may send" in run("admin edit jonas --role owner")
    assert "cannot sign in" in run("admin disable jonas")
    assert "can sign in again" in run("admin enable jonas")
    assert "/desk/welcome/" in run("admin reset jonas")
    assert "last owner" in run("admin disable maria", 1)
    actions = AuditEntry.objects.filter(object_name="jonas").values_list("action", flat=True)
    assert set(actions) == {f"admin.{what}" for what in ("create", "may_send", "role", "disable", "enable", "reset")}


def test_misuse(run):
    assert "editor or owner" in run("admin invite jonas --role god", 2)
    assert "say what to change" in run("admin edit jonas", 2)
    assert "not an address" in run("admin create m@example.org", 1)
    assert "No admins" in run("admin list")
