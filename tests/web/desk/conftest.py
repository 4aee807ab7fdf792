"""Admins in both roles, signed in."""

import pytest
from django.test import Client

from newsletter.lib import clock
from newsletter.models import Admin


def make_admin(name: str, role: str, **columns) -> Admin:
    return Admin.objects.create(username=name, role=role, created_at=clock.utcnow(), password="!", **columns)


def signed_in(admin: Admin) -> Client:
    client = Client(enforce_csrf_checks=False)
    client.force_login(admin)
    return client


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
