"""Secrets: ciphers for addresses and own keywords, the blind index, tokens derived from row ids.

AES-256-GCM (NIST SP 800-38D) seals; the row's handle and the column's name are associated data, so a ciphertext moved to
another row or column does not open. What is sealed is padded first: the length of a ciphertext tells 64-byte steps only.
HMAC-SHA-256 under a key of its own gives the blind index. A token is one AES block over (id, eight check bytes) under a key of
its purpose: it needs no column, and forging one takes 2^64 tries.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from newsletter.lib import ff1

NO_CHECK = bytes(8)
#: What is sealed is as long as a multiple of this, in bytes: a name of four letters and one of forty look the same.
STEP = 64
_NONCE = 12
#: No byte of UTF-8 text, so that it needs no count of itself, and what was sealed unpadded before opens all the same.
_PAD = b"\xff"
#: What is stored of something sealed: key id, nonce + ciphertext + tag, the row's handle.
Stored = tuple[int | None, bytes | memoryview | None, bytes]


class KeysDoNotFit(Exception):
    """The keys at hand do not open what is stored. Says nothing of what was to be opened."""


class Vault:
    """The keys of one installation.

    `secret` derives tokens; `keys` maps a key id to 32 bytes, the highest id seals, all of them open; `index_key` (32 bytes)
    makes blind indexes.
    """

    def __init__(self, secret: bytes, keys: Mapping[int, bytes], index_key: bytes) -> None:
        if not keys:
            raise ValueError("at least one address key is needed")
        self._secret = secret
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self._index_key = index_key
        self._purposes: dict[str, bytes] = {}
        self.active_key = max(keys)

    def __repr__(self) -> str:
        return "Vault(***)"

    def encrypt(self, plain: str, *, handle: bytes, column: str) -> tuple[int, bytes]:
        """Encrypt `plain`, padded, for one row and column; returns (key id, nonce + ciphertext + tag)."""
        nonce, text = os.urandom(_NONCE), plain.encode()
        padded = text.ljust(-(-len(text) // STEP) * STEP or STEP, _PAD)
        sealed = self._ciphers[self.active_key].encrypt(nonce, padded, handle + column.encode())
        return self.active_key, nonce + sealed

    def decrypt(self, key_id: int | None, sealed: bytes | memoryview | None, *, handle: bytes, column: str) -> str:
        """Decrypt what `encrypt` made for the same row and column.

        Raises:
            KeysDoNotFit: the key is not there, or row, column or bytes are not those that were sealed.
        """
        return self.decrypt_all([(key_id, sealed, handle)], column=column)[0]

    def decrypt_all(self, stored: Iterable[Stored], *, column: str) -> list[str]:
        """As `decrypt` for each (key id, sealed, handle) of one column.

        Raises:
            KeysDoNotFit: one of them does not open.
        """
        ciphers, name, opened = self._ciphers, column.encode(), []
        for key_id, sealed, handle in stored:
            # a call of bytes() costs as much as all of unpadding, and databases give bytes as a rule
            text = sealed if type(sealed) is bytes else bytes(sealed or b"")
            try:
                cipher = ciphers[key_id or 0]
                opened.append(cipher.decrypt(text[:_NONCE], text[_NONCE:], handle + name).rstrip(_PAD).decode())
            except KeyError:
                raise KeysDoNotFit(f"address key {key_id} is missing from NEWSLETTER_ADDRESS_KEYS") from None
            except (InvalidTag, ValueError) as error:
                raise KeysDoNotFit(f"address key {key_id} does not open a stored {column}") from error
        return opened

    def blind_index(self, kind: str, text: str) -> bytes:
        """32 bytes that are equal for equal `text` of the same `kind` (address, query), and tell nothing without the key."""
        return hmac.digest(self._index_key, kind.encode() + b"\0" + text.encode(), hashlib.sha256)

    def token(self, purpose: str, number: int, check: bytes = NO_CHECK) -> str:
        """22 URL-safe characters that lead back to `number` (a row's id, below 2^64) and nowhere without the key."""
        return self.tokens([(number, check)], purpose)[0][0]

    def tokens(self, pairs: Sequence[tuple[int, bytes]], *purposes: str) -> list[list[str]]:
        """As `token` for each (number, check), a list for each purpose; a thousand at once cost little more than a few."""
        if not all(len(check) == len(NO_CHECK) for _, check in pairs):
            raise ValueError("check must have eight bytes")
        plain = b"".join([number.to_bytes(8) + check for number, check in pairs])
        return [_written(self._block(purpose).encryptor().update(plain)) for purpose in purposes]

    def read_token(self, purpose: str, token: str) -> tuple[int, bytes] | None:
        """(id, check bytes) of a token, or None if it cannot be one. The caller compares the check with `constant_time_equal`."""
        try:
            block = base64.b64decode(token.encode("ascii") + b"==", altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error, ValueError):
            return None
        if len(block) != 16:
            return None
        decryptor = self._block(purpose).decryptor()
        plain = decryptor.update(block) + decryptor.finalize()
        return int.from_bytes(plain[:8]), plain[8:]

    def permute(self, purpose: str, numbers: Sequence[int]) -> list[int]:
        """Each of these numbers, below 2^40, as another such number: short, without repeats, and read with the key only."""
        return ff1.encrypt(self._block(purpose).encryptor().update, numbers)

    def unpermute(self, purpose: str, numbers: Sequence[int]) -> list[int]:
        """The numbers that `permute` made these of."""
        return ff1.decrypt(self._block(purpose).encryptor().update, numbers)

    def _block(self, purpose: str) -> Cipher[modes.ECB]:
        """One block of AES under the purpose's key: ECB of a single unique block is a plain permutation."""
        if purpose not in self._purposes:
            kdf = HKDF(SHA256(), 32, salt=None, info=b"newsletter token " + purpose.encode())
            self._purposes[purpose] = kdf.derive(self._secret)
        return Cipher(algorithms.AES(self._purposes[purpose]), modes.ECB())  # noqa: S305


def _written(blocks: bytes) -> list[str]:
    """22 characters for each block of 16 bytes."""
    # 18 bytes are 24 characters of their own, of which the last two say nothing: one becomes the end of a line
    count = len(blocks) // 16
    spread = bytearray(18 * count)
    for place in range(16):
        spread[place::18] = blocks[place::16]
    lines = bytearray(base64.urlsafe_b64encode(spread))
    del lines[23::24]
    lines[22::23] = b"\n" * count
    return lines.decode().splitlines()


def constant_time_equal(one: bytes | memoryview, other: bytes | memoryview) -> bool:
    """Equal, in a time that does not tell how far."""
    return hmac.compare_digest(bytes(one), bytes(other))


def link_epoch_check(link_epoch: int) -> bytes:
    """Check bytes of a lasting link, which dies when the person's `link_epoch` is raised: it in two bytes, and six zeros."""
    return link_epoch.to_bytes(2) + bytes(6)


def new_nonce() -> bytes:
    """Eight random bytes, the check of a token that must be revocable."""
    return secrets.token_bytes(8)


def new_keys() -> tuple[str, str]:
    """Fresh (NEWSLETTER_SECRET_KEY, NEWSLETTER_ADDRESS_KEYS) in the form that `parse_keys` reads."""

    def fresh() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    return fresh(), f"1:{fresh()},index:{fresh()}"


def parse_keys(text: str) -> tuple[dict[int, bytes], bytes]:
    """Read `1:BASE64,2:BASE64,index:BASE64` into ({key id: key}, index key); every key has 32 bytes.

    Raises:
        ValueError: what is wrong, without the key.
    """
    keys: dict[int, bytes] = {}
    index_key = b""
    for position, part in enumerate(text.split(","), 1):
        name, _, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 32:
            raise ValueError(f"part {position} is not NUMBER:KEY with a key of 32 bytes in base64")
        if name == "index":
            index_key = key
        elif name.isascii() and name.isdigit() and 0 < int(name) < 32768:
            keys[int(name)] = key
        else:
            raise ValueError(f"part {position} must begin with a number from 1 to 32767, or with 'index'")
    if not keys or not index_key:
        raise ValueError("it needs at least one numbered key and one 'index' key")
    return keys, index_key
