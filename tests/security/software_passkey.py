"""An authenticator for passkeys in software (WebAuthn level 2, ES256, attestation "none"), which lies where it is told to."""

import hashlib
import json
import secrets
import struct
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor

#: Flags of the authenticator's data: somebody was there, their finger or PIN was right, a key comes along.
_PRESENT, _VERIFIED, _KEY = 0x01, 0x04, 0x40


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


class SoftwarePasskey:
    """One key. `origin`: the page that the browser says it is on."""

    def __init__(self, origin: str = "http://localhost") -> None:
        self.origin = origin
        self.id = secrets.token_bytes(16)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._user = ""

    def create(self, options: dict[str, Any]) -> str:
        """Answer a request to register, as the page's script posts it."""
        asked = options["publicKey"]
        self._user = asked["user"]["id"]
        numbers = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        about = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor.encode(key)
        data = self._data(asked["rp"]["id"], _PRESENT | _VERIFIED | _KEY) + about
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", asked["challenge"])
        return self._answer({"clientDataJSON": _text(client), "attestationObject": _text(attestation)})

    def get(self, options: dict[str, Any], *, verified: bool = True, rp_id: str = "") -> str:
        """Answer a request to sign in."""
        asked = options["publicKey"]
        data = self._data(rp_id or asked["rpId"], _PRESENT | (_VERIFIED if verified else 0))
        client = self._client("webauthn.get", asked["challenge"])
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {"clientDataJSON": _text(client), "authenticatorData": _text(data), "signature": _text(signature)}
        return self._answer(response | {"userHandle": self._user})

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + struct.pack(">BI", flags, 0)

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, response: dict[str, str]) -> str:
        answer = {"id": _text(self.id), "rawId": _text(self.id), "type": "public-key", "response": response}
        return json.dumps(answer | {"clientExtensionResults": {"credProps": {"rk": True}}})
