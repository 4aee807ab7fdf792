"""Find the recipient domains of subscribers. They are stored nowhere: addresses are decrypted for a moment, when a rule asks."""

import sys
from collections.abc import Sequence

from newsletter.lib.crypto import KeysDoNotFit, Vault
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Subscriber

_CHUNK = 1000


def recipient_domains(people: Sequence[int], vault: Vault) -> dict[int, str]:
    """The domain of each of these subscribers, without those whose address cannot be decrypted: their mail is parked later."""
    domains: dict[int, str] = {}
    for start in range(0, len(people), _CHUNK):
        rows = Subscriber.objects.filter(id__in=people[start : start + _CHUNK])
        for subscriber_id, handle, key_id, cipher in rows.values_list("id", "handle", "key_id", "address_cipher"):
            try:
                address = Address(vault.decrypt(key_id, cipher, handle=handle.bytes, column="address"))
            except KeysDoNotFit:
                continue
            domains[subscriber_id] = sys.intern(address.domain)  # many people, few domains
    return domains
