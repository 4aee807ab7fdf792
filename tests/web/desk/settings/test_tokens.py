"""The page of tokens: one is shown once, and revoked by a button."""

import re

from newsletter.admins import tokens
from newsletter.lib import db
from newsletter.models import ApiToken

ADDRESS = "/desk/settings/tokens/"


def test_a_token_is_made_shown_once_and_revoked(as_owner) -> None:
    assert "No program can use the API" in as_owner.get(ADDRESS).content.decode()
    html = as_owner.post(ADDRESS, {"name": "nightly", "scopes": ["read"], "days": "90"}).content.decode()
    (secret,) = re.findall(r"nl_[0-9a-f]{12}_[\w-]{43}", html)
    assert tokens.find(secret, now=db.now()) is not None
    listed = as_owner.get(ADDRESS).content.decode()
    assert "nightly" in listed and secret not in listed
    answer = as_owner.post(f"{ADDRESS}{ApiToken.objects.get().id}/revoke/")
    assert (answer.status_code, answer.url) == (303, ADDRESS)
    assert tokens.find(secret, now=db.now()) is None


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(as_owner) -> None:
    html = as_owner.post(ADDRESS, {"name": "nightly", "scopes": ["read", "people"], "days": "90"}).content.decode()
    assert "the scope people stands alone" in html and 'value="nightly"' in html
    assert not ApiToken.objects.exists()


def test_an_editor_has_no_tokens(as_editor) -> None:
    assert as_editor.get(ADDRESS).status_code == 403
