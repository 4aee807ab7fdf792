"""Editions and their bodies in the store."""

from datetime import timedelta

import pytest

from newsletter.editions import edition_store
from newsletter.models import Edition, EditionBody
from tests import factories

pytestmark = pytest.mark.django_db


def test_stored_body_is_renewed_when_it_is_used_again() -> None:
    made = factories.planned(1)
    edition = Edition.objects.get()
    words = edition_store.body_json("Your update", "Text", "")
    draft = edition_store.EditionDraft(bytes(edition.key), edition.look_id, ((made.item.id, 1, (1,)),), words)
    for days, expected in ((0.5, 0.0), (6.0, 6.0)):
        edition_store.store_editions([draft], "alert", factories.VAULT, factories.NOW + timedelta(days=days))
        assert EditionBody.objects.get().made_at == factories.NOW + timedelta(days=expected)
