"""Encryption of addresses and keywords, the blind index, and tokens derived from row ids.

Text is encrypted with AES-256-GCM (NIST SP 800-38D). The row's handle and the column's name are associated data, so a
ciphertext that is moved to another row or column cannot be decrypted. Text is padded first: the length of a ciphertext shows
only in which 64-byte step the text lies. The blind index is an HMAC-SHA-256 under a key of its own. A token is one AES block
over (id, eight check bytes), under a key of its purpose: it needs no column, and forging one takes 2^64 tries.
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
#: Text is padded to a multiple of this, in bytes: a name of four letters and one of forty look the same.
STEP = 64
_NONCE = 12
#: Never part of UTF-8 text, so no length is stored, and text that was encrypted without padding can still be read.
_PAD = b"\xff"
#: A stored ciphertext: key id, nonce + ciphertext + tag, the row's handle.
Stored = tuple[int | None, bytes | memoryview | None, bytes]


class KeysDoNotFit(Exception):
    """The configured keys do not decrypt what is stored. The message does not tell what that is."""


class Vault:
    """The keys of one installation.

    `secret` derives tokens. `keys` maps a key id to 32 bytes: the highest id encrypts, all of them decrypt. `index_key`
    (32 bytes) makes blind indexes.
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
        """Encrypt `plain` for one row and column; return (key id, nonce + ciphertext + tag)."""
        nonce, text = os.urandom(_NONCE), plain.encode()
        padded = text.ljust(-(-len(text) // STEP) * STEP or STEP, _PAD)
        ciphertext = self._ciphers[self.active_key].encrypt(nonce, padded, handle + column.encode())
        return self.active_key, nonce + ciphertext

    def decrypt(self, key_id: int | None, ciphertext: bytes | memoryview | None, *, handle: bytes, column: str) -> str:
        """Decrypt what `encrypt` returned for the same row and column.

        Raises:
            KeysDoNotFit: the key is missing, or row, column or bytes are not those that were encrypted.
        """
        return self.decrypt_all([(key_id, ciphertext, handle)], column=column)[0]

    def decrypt_all(self, stored: Iterable[Stored], *, column: str) -> list[str]:
        """As `decrypt` for each (key id, ciphertext, handle) of one column.

        Raises:
            KeysDoNotFit: as `decrypt`, for any of them.
        """
        ciphers, name, texts = self._ciphers, column.encode(), []
        for key_id, ciphertext, handle in stored:
            # a call of bytes() costs as much as all unpadding, and most values are bytes already
            raw = ciphertext if type(ciphertext) is bytes else bytes(ciphertext or b"")
            try:
                cipher = ciphers[key_id or 0]
                texts.append(cipher.decrypt(raw[:_NONCE], raw[_NONCE:], handle + name).rstrip(_PAD).decode())
            except KeyError:
                raise KeysDoNotFit(f"address key {key_id} is missing from NEWSLETTER_ADDRESS_KEYS") from None
            except (InvalidTag, ValueError) as error:
                raise KeysDoNotFit(f"address key {key_id} does not open a stored {column}") from error
        return texts

    def blind_index(self, kind: str, text: str) -> bytes:
        """Return 32 bytes, the same for the same `text` and `kind` (address, query), which reveal nothing without the key."""
        return hmac.digest(self._index_key, kind.encode() + b"\0" + text.encode(), hashlib.sha256)

    def token(self, purpose: str, number: int, check: bytes = NO_CHECK) -> str:
        """Return 22 URL-safe characters from which only the key recovers `number` (a row's id, below 2^64)."""
        return self.tokens([(number, check)], purpose)[0][0]

    def tokens(self, pairs: Sequence[tuple[int, bytes]], *purposes: str) -> list[list[str]]:
        """As `token` for each (number, check): one list per purpose. A thousand at once cost little more than a few."""
        if not all(len(check) == len(NO_CHECK) for _, check in pairs):
            raise ValueError("check must have eight bytes")
        plain = b"".join([number.to_bytes(8) + check for number, check in pairs])
        return [_base64_lines(self._block(purpose).encryptor().update(plain)) for purpose in purposes]

    def read_token(self, purpose: str, token: str) -> tuple[int, bytes] | None:
        """Return (id, check bytes) of a token, or None if it is none. The caller compares the check by `constant_time_equal`."""
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
        """Map each number below 2^40 to another such number: a permutation that only the key reverses."""
        return ff1.encrypt(self._block(purpose).encryptor().update, numbers)

    def unpermute(self, purpose: str, numbers: Sequence[int]) -> list[int]:
        """Reverse `permute`."""
        return ff1.decrypt(self._block(purpose).encryptor().update, numbers)

    def _block(self, purpose: str) -> Cipher[modes.ECB]:
        """AES under the purpose's key. ECB is safe here: each block stands alone, and no two are equal."""
        if purpose not in self._purposes:
            kdf = HKDF(SHA256(), 32, salt=None, info=b"newsletter token " + purpose.encode())
            self._purposes[purpose] = kdf.derive(self._secret)
        return Cipher(algorithms.AES(self._purposes[purpose]), modes.ECB())  # noqa: S305


def _base64_lines(blocks: bytes) -> list[str]:
    """Return each block of 16 bytes in base64 without padding: 22 characters.

    All blocks are encoded in one call. Base64 turns 3 bytes into 4 characters, so each block is padded by two zero bytes to 18,
    which become 24 characters of their own; the last two say nothing. For two blocks `A…` and `B…`:

        padded     A…(16) 0 0 B…(16) 0 0        36 bytes
        base64     a…(22) A A b…(22) A A        48 characters
        lines      a…(22) newline b…(22) newline
    """
    count = len(blocks) // 16
    padded = bytearray(18 * count)
    for index in range(16):
        padded[index::18] = blocks[index::16]
    lines = bytearray(base64.urlsafe_b64encode(padded))
    del lines[23::24]
    lines[22::23] = b"\n" * count
    return lines.decode().splitlines()


def constant_time_equal(left: bytes | memoryview, right: bytes | memoryview) -> bool:
    """Compare in a time that does not depend on where the two differ."""
    return hmac.compare_digest(bytes(left), bytes(right))


def link_epoch_check(link_epoch: int) -> bytes:
    """Return the check bytes of a lasting link: the person's `link_epoch` in two bytes, and six zeros.

    When the epoch is raised, all links made before are invalid.
    """
    return link_epoch.to_bytes(2) + bytes(6)


def new_nonce() -> bytes:
    """Return eight random bytes: the check of a token that can be revoked."""
    return secrets.token_bytes(8)


def new_keys() -> tuple[str, str]:
    """Return a new (NEWSLETTER_SECRET_KEY, NEWSLETTER_ADDRESS_KEYS), in the form that `parse_keys` reads."""

    def fresh() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    return fresh(), f"1:{fresh()},index:{fresh()}"


def parse_keys(text: str) -> tuple[dict[int, bytes], bytes]:
    """Read `1:BASE64,2:BASE64,index:BASE64` into ({key id: key}, index key); every key has 32 bytes.

    Raises:
        ValueError: says what is wrong and never shows a key.
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
