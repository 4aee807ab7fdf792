"""Tokens on the command line."""

import json

import pytest

from newsletter.admins import tokens
from newsletter.cli.tokens import commands
from newsletter.lib import db


@pytest.mark.django_db
def test_a_token_is_made_listed_and_revoked(monkeypatch, capsys) -> None:
    monkeypatch.setattr(commands, "ready", lambda: None)
    commands.create("nightly", ["read"], days=30, json=True)
    secret = json.loads(capsys.readouterr().out)["token"]
    assert tokens.find(secret, now=db.now()) is not None
    commands.list_tokens(json=False)
    out = capsys.readouterr().out
    assert "nightly" in out and secret not in out
    commands.revoke("nightly")
    assert tokens.find(secret, now=db.now()) is None
