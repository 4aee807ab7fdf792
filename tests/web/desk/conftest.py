"""Admins in both roles, signed in."""

import time
from functools import cache

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.test import Client

from newsletter.lib import clock
from newsletter.models import Admin
from newsletter.status.remembered import Remembered

PASSWORD = "correct horse battery staple"
# a hash costs 100 MB and a tenth of a second: tests make hundreds
Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1


@cache
def _password_hash() -> str:
    return make_password(PASSWORD)


def make_admin(name: str, role: str, **columns) -> Admin:
    return Admin.objects.create(
        username=name, role=role, created_at=clock.utcnow(), password=_password_hash(), **columns
    )


def signed_in(admin: Admin, *, recent: bool = True) -> Client:
    """A client of an admin; `recent`: the password was asked for again a moment ago."""
    client = Client()
    client.force_login(admin)
    UserSession.objects.create(user=admin, session_key=client.session.session_key, ip="192.0.2.1", user_agent="Test")
    if recent:
        session = client.session
        session["account_authentication_methods_user"] = str(admin.pk)
        session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "reauthenticated": True}]
        session.save()
    return client


@pytest.fixture(autouse=True)
def _forget() -> None:
    """What a process remembers for a while is of another test's database."""
    Remembered.forget_all()


@pytest.fixture
def owner(db) -> Admin:
    return make_admin("olga", Admin.Role.OWNER)


@pytest.fixture
def editor(db) -> Admin:
    return make_admin("ed", Admin.Role.EDITOR)


@pytest.fixture
def as_owner(owner) -> Client:
    return signed_in(owner)


@pytest.fixture
def as_editor(editor) -> Client:
    return signed_in(editor)
