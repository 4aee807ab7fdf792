"""FF1 (NIST SP 800-38G): a keyed permutation of the numbers below 2^40, for many numbers at once.

AES permutes 128 bits, too many to read aloud. FF1 makes a permutation of any size out of it: here radix 2, 40 digits, no tweak.
All numbers go through each of the ten rounds together, as lanes of 128 bits in one large integer.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Final

BITS: Final = 40
_HALF: Final = BITS // 2
_ROUNDS: Final = 10
_MASK: Final = (1 << _HALF) - 1
#: Version, method, addition, radix 2, rounds, length of the left half, digits, length of the tweak.
_HEADER: Final = struct.pack(">BBB3sBBII", 1, 2, 1, bytes((0, 0, 2)), _ROUNDS, _HALF, BITS, 0)

#: AES under the key, of any number of blocks of 16 bytes, each by itself.
Cipher = Callable[[bytes], bytes]


def encrypt(cipher: Cipher, numbers: Sequence[int]) -> list[int]:
    """Each of these numbers, below 2^40, under the permutation."""
    lanes = _Lanes(cipher, len(numbers))
    left, right = lanes.halves(numbers)
    for number in range(_ROUNDS):
        left, right = right, (left + lanes.mixed(number, right)) & lanes.mask
    return lanes.numbers(left, right)


def decrypt(cipher: Cipher, numbers: Sequence[int]) -> list[int]:
    """The numbers that `encrypt` made these of."""
    lanes = _Lanes(cipher, len(numbers))
    left, right = lanes.halves(numbers)
    for number in reversed(range(_ROUNDS)):
        # one more in the bit above each half, so that no lane borrows from its neighbour
        above = lanes.ones << _HALF
        left, right = (right + above - lanes.mixed(number, left)) & lanes.mask, left
    return lanes.numbers(left, right)


class _Lanes:
    """Numbers side by side in one integer, 128 bits each."""

    def __init__(self, cipher: Cipher, count: int) -> None:
        self._cipher = cipher
        self._bytes = 16 * count
        self.ones = int.from_bytes((bytes(15) + b"\x01") * count)
        self.mask = self.ones * _MASK
        self._header = self.ones * int.from_bytes(cipher(_HEADER))

    def halves(self, numbers: Sequence[int]) -> tuple[int, int]:
        joined = int.from_bytes(b"".join([number.to_bytes(16) for number in numbers]))
        return joined >> _HALF & self.mask, joined & self.mask

    def mixed(self, number: int, half: int) -> int:
        """The round's function: the lowest 20 bits of the first eight bytes of CBC-MAC over header, round and half."""
        block = self._header ^ (self.ones * (number << 24) | half)
        return int.from_bytes(self._cipher(block.to_bytes(self._bytes))) >> 64 & self.mask

    def numbers(self, left: int, right: int) -> list[int]:
        joined = (left << _HALF | right).to_bytes(self._bytes)
        return list(struct.unpack(f">{self._bytes // 8}Q", joined)[1::2])
