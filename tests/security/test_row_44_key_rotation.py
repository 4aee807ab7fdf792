"""Row 44: a new key seals from now on, the old one opens what it sealed; a key that is missing stops nothing silently.

Sealing again in the background, and a second index, do not exist yet.
"""

import pytest

from newsletter import wiring
from newsletter.delivery.gates import sending_gate
from newsletter.lib.crypto import KeysDoNotFit, Vault, new_keys, parse_keys
from newsletter.models import Subscriber, Topic
from newsletter.worker import run_once
from tests.journey import road
from tests.security import installation

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_second_key_seals_and_both_open(settings, httpserver, tmp_path) -> None:
    with installation.installed(settings, httpserver, tmp_path):
        road.subscribe("old@example.org", keywords=("Zzyzx",))
        before = wiring.config().address_keys
        fresh = {2: parse_keys(new_keys()[1])[0][1]}
        with road.configured(settings, address_keys=before | fresh):
            sending_gate.check_keys(wiring.vault())
            road.subscribe("new@example.org", keywords=("Zzyzx", "cameras"))
            assert sorted(Subscriber.objects.values_list("key_id", flat=True)) == [1, 2]
            assert sorted(Topic.objects.filter(kind="own").values_list("key_id", flat=True)) == [1, 2]
            assert {opened(one) for one in Subscriber.objects.all()} == {"old@example.org", "new@example.org"}
            # the index is the same under both: nobody is there twice
            road.subscribe("old@example.org", "Uyghur")
            assert Subscriber.objects.count() == 2
            assert run_once.once(wait=installation.timedelta(0)).accepted == 2
        with pytest.raises(KeysDoNotFit, match="address key 2 is missing"):
            Vault(b"s", before, bytes(32)).decrypt_all(
                [(one.key_id, one.address_cipher, one.handle.bytes) for one in Subscriber.objects.order_by("id")],
                column="address",
            )


def opened(one: Subscriber) -> str:
    return wiring.vault().decrypt(one.key_id, one.address_cipher, handle=one.handle.bytes, column="address")
