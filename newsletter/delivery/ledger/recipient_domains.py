"""People in, their recipient domains out. These are stored nowhere: addresses are opened for a moment, where a rule asks."""

import sys
from collections.abc import Sequence

from newsletter.lib.crypto import KeysDoNotFit, Vault
from newsletter.lib.provider_interface import Address
from newsletter.models import Subscriber

_CHUNK = 1000


def recipient_domains(people: Sequence[int], vault: Vault) -> dict[int, str]:
    """The domain of each of these subscribers; nothing for whose address does not open: the barrier parks their mail."""
    found: dict[int, str] = {}
    for start in range(0, len(people), _CHUNK):
        rows = Subscriber.objects.filter(id__in=people[start : start + _CHUNK])
        for number, handle, key_id, cipher in rows.values_list("id", "handle", "key_id", "address_cipher"):
            try:
                address = Address(vault.decrypt(key_id, cipher, handle=handle.bytes, column="address"))
            except KeysDoNotFit:
                continue
            found[number] = sys.intern(address.domain)  # many people, few domains
    return found
