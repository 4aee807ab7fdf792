"""Accounts: names, links that work once, the last owner, rights, and what the audit log says."""

from datetime import timedelta

import pytest

from newsletter.admins import account_list, accounts, links
from newsletter.admins.links import AccountLink
from newsletter.audit import actor
from newsletter.lib.refused import Refused
from newsletter.models import Admin, AuditEntry

pytestmark = pytest.mark.django_db
WHO = actor.from_rule("test")
PASSWORD = "four words nobody guesses"


@pytest.fixture
def add(now):
    def added(name, role="owner", *, password=PASSWORD, **rights) -> Admin:
        link = accounts.create(name, role=role, actor=WHO, now=now, **rights)
        assert isinstance(link, AccountLink)
        if password:
            links.use(link.token, password, now=now)
        return Admin.objects.get(username=name)

    return added


def logged() -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("actor", "action", "object_name"))


@pytest.mark.parametrize("name", ["maria", "j.doe", "M", "a-b_c9"])
def test_names(name, add):
    assert add(name).username == name


@pytest.mark.parametrize("name", ["", "m@example.org", "a b", ".a", "a.", "ä", "a\n", "x" * 41])
def test_a_name_is_never_an_address(name, now):
    refused = accounts.create(name, role="owner", actor=WHO, now=now)
    assert isinstance(refused, Refused) and "not an address" in refused.reason
    assert not Admin.objects.exists() and not AuditEntry.objects.exists()


def test_a_name_is_given_once_whatever_its_case(add, now):
    add("maria")
    assert "already" in accounts.create("MARIA", role="editor", actor=WHO, now=now).reason
    assert logged() == [("test", "admin.create", "maria"), ("maria", "admin.password", "maria")]


def test_a_link_works_once_and_its_token_is_stored_nowhere(now):
    link = accounts.create("maria", role="owner", actor=WHO, now=now)
    stored = str(Admin.objects.values().get())
    assert link.token not in stored and link.token not in repr(link) and len(link.token) == 22
    assert links.find("x" * 22, now=now) is None
    assert links.use(link.token, PASSWORD, now=now).check_password(PASSWORD)
    assert links.use(link.token, "another of that kind", now=now) is links.EXPIRED
    assert Admin.objects.get().check_password(PASSWORD)


def test_a_link_ends_after_a_day_and_with_the_next_one(now):
    first = accounts.create("maria", role="owner", actor=WHO, now=now)
    assert links.find(first.token, now=now + timedelta(hours=24)) is None
    second = accounts.reset("Maria", actor=WHO, now=now)
    assert links.find(first.token, now=now) is None
    assert links.find(second.token, now=now + timedelta(hours=23)) is not None


def test_the_last_owner_stays(add, now):
    add("maria")
    add("jonas", password="")
    for refused in (
        accounts.disable("maria", actor=WHO, now=now),
        accounts.set_role("maria", "editor", actor=WHO, now=now),
    ):
        assert "last owner" in refused.reason
    add("olga")
    assert not accounts.disable("maria", actor=WHO, now=now).is_active
    assert "last owner" in accounts.set_role("olga", "editor", actor=WHO, now=now).reason


def test_a_disabled_account_has_no_link_until_it_is_enabled(add, now):
    add("olga")
    link = accounts.create("ed", role="editor", actor=WHO, now=now)
    accounts.disable("ed", actor=WHO, now=now)
    assert links.find(link.token, now=now) is None
    assert "enable" in accounts.reset("ed", actor=WHO, now=now).reason
    assert accounts.enable("ed", actor=WHO, now=now).is_active
    assert isinstance(accounts.reset("ed", actor=WHO, now=now), AccountLink)


def test_rights(add, now):
    add("olga")
    editor = add("ed", role="editor")
    assert not editor.sends
    assert accounts.set_may_send("ed", True, actor=WHO, now=now).sends
    assert "already" in accounts.set_may_send("ed", True, actor=WHO, now=now).reason
    assert "owners may always" in accounts.set_may_send("olga", False, actor=WHO, now=now).reason
    last = AuditEntry.objects.latest("id")
    assert (last.action, last.before, last.after) == ("admin.may_send", {"may_send": False}, {"may_send": True})


def test_nobody_of_this_name(now):
    for refused in (
        accounts.disable("x", actor=WHO, now=now),
        accounts.enable("x", actor=WHO, now=now),
        accounts.reset("x", actor=WHO, now=now),
        accounts.set_role("x", "owner", actor=WHO, now=now),
        accounts.set_may_send("x", True, actor=WHO, now=now),
    ):
        assert "no such admin" in refused.reason


def test_the_list(add, now, django_assert_num_queries):
    add("olga")
    add("ed", role="editor")
    add("ann", role="editor", password="", may_send=True)
    accounts.disable("ed", actor=WHO, now=now)
    with django_assert_num_queries(3):
        rows = account_list.list_accounts(now=now)
    assert [(row.name, row.state, row.may_send) for row in rows] == [
        ("ann", "invited", True),
        ("olga", "active", True),
        ("ed", "disabled", False),
    ]
    later = account_list.list_accounts(now=now + timedelta(days=2))
    assert later[0].state == "without password"
