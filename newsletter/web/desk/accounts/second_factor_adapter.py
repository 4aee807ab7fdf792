"""How django-allauth keeps second factors: secrets encrypted by the vault, named as we name things."""

import base64
from ipaddress import ip_address

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.utils.translation import gettext, gettext_lazy

from newsletter import wiring
from newsletter.models import Admin

#: The associated data of these ciphertexts: allauth's hooks do not say whose secret it is.
_HANDLE, _COLUMN = b"second factor", "secret"


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of apps and seeds of recovery codes are ciphertexts in the table `mfa_authenticator`."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy(
            "This is not the right one, or it was used already. Codes of an app change every 30 seconds."
        ),
    }

    def encrypt(self, text: str) -> str:
        """Encrypt a secret: key id, a dot, the ciphertext in base64."""
        key_id, ciphertext = wiring.vault().encrypt(text, handle=_HANDLE, column=_COLUMN)
        return f"{key_id}.{base64.b64encode(ciphertext).decode()}"

    def decrypt(self, encrypted_text: str) -> str:
        """Reverse `encrypt`.

        Raises:
            KeysDoNotFit: the key is missing.
        """
        key_id, _, ciphertext = encrypted_text.partition(".")
        return wiring.vault().decrypt(int(key_id), base64.b64decode(ciphertext), handle=_HANDLE, column=_COLUMN)

    def generate_authenticator_name(self, user: Admin, type: Authenticator.Type) -> str:  # noqa: A002 - allauth's name
        """A name for a passkey that nobody named."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return gettext("Passkey {number}").format(number=count + 1)

    def _get_site_name(self) -> str:
        """Shown by apps and passkeys."""
        return wiring.config().organisation


def passkeys_possible(request: HttpRequest) -> bool:
    """Whether browsers offer passkeys here: they need https or localhost, and a name instead of an address."""
    try:
        host, _ = split_domain_port(request.get_host())
    except DisallowedHost:
        return False
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return wiring.config().https or host == "localhost"
    return False
