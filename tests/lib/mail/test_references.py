"""References: FF1 as NIST wrote it down, read by the keys only, forgiving of how people type and not of what they type."""

import re
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from newsletter.lib import ff1
from newsletter.lib.crypto import Vault
from newsletter.lib.mail.references import read_reference, reference, references
from tests.factories import VAULT

IDS = st.integers(0, 2**40 - 1)
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
OTHER = Vault(b"another secret for tests", {1: bytes(range(32))}, bytes(range(32, 64)))


def aes(key: bytes) -> Callable[[bytes], bytes]:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update  # noqa: S305


def plain_ff1(cipher: Callable[[bytes], bytes], digits: list[int], radix: int) -> list[int]:
    """Algorithm 7 of NIST SP 800-38G, digit by digit, without a tweak."""

    def number(some: list[int]) -> int:
        found = 0
        for digit in some:
            found = found * radix + digit
        return found

    n, u = len(digits), len(digits) // 2
    left, right = digits[:u], digits[u:]
    size = -(-(radix ** (n - u) - 1).bit_length() // 8)
    length = 4 * -(-size // 4) + 4
    header = bytes((1, 2, 1)) + radix.to_bytes(3) + bytes((10, u % 256)) + n.to_bytes(4) + bytes(4)
    for place in range(10):
        block = bytes((-size - 1) % 16) + bytes((place,)) + number(right).to_bytes(size)
        mixed = cipher(bytes(a ^ b for a, b in zip(cipher(header), block, strict=True)))
        m = u if place % 2 == 0 else n - u
        value = (number(left) + int.from_bytes(mixed[:length])) % radix**m
        left, right = right, [value // radix**power % radix for power in reversed(range(m))]
    return left + right


def test_the_plain_form_is_the_one_of_the_standards_samples() -> None:
    # NIST's examples for FF1, samples 1 (AES-128) and 7 (AES-256): ten digits, no tweak
    digits = list(range(10))
    short = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")
    long = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94")
    assert plain_ff1(aes(short), digits, 10) == [int(digit) for digit in "2433477484"]
    assert plain_ff1(aes(long), digits, 10) == [int(digit) for digit in "6657667009"]


@given(st.lists(IDS, min_size=1, max_size=8), st.binary(min_size=32, max_size=32))
def test_all_at_once_is_the_plain_form_one_by_one_and_leads_back(numbers: list[int], key: bytes) -> None:
    bits = [plain_ff1(aes(key), [number >> place & 1 for place in reversed(range(40))], 2) for number in numbers]
    encrypted = ff1.encrypt(aes(key), numbers)
    assert encrypted == [int("".join(map(str, one)), 2) for one in bits]
    assert ff1.decrypt(aes(key), encrypted) == numbers


@given(IDS)
def test_a_reference_is_read_as_people_type_it(number: int) -> None:
    typed = reference(number, VAULT).lower().replace("0", "o").replace("1", "l").replace("-", " ")
    assert read_reference(typed, VAULT) == number


@given(IDS, st.integers(0, 9), st.sampled_from(DIGITS), st.integers(0, 6))
def test_a_wrong_digit_and_two_exchanged_are_noticed(number: int, place: int, digit: str, swapped: int) -> None:
    plain = reference(number, VAULT).replace("-", "")
    if plain[place] != digit:
        assert read_reference(plain[:place] + digit + plain[place + 1 :], VAULT) is None
    one, two = plain[swapped : swapped + 2]
    if one != two:
        assert read_reference(plain[:swapped] + two + one + plain[swapped + 2 :], VAULT) is None


def test_references_of_neighbours_have_nothing_in_common_and_other_keys_read_other_mails() -> None:
    found = references(range(1, 1001), VAULT)
    assert len(set(found)) == 1000
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{2}", one) for one in found)
    numbers = [read_reference(one, OTHER) for one in found]
    assert not set(numbers) & set(range(1, 1001))  # by chance once in a million runs
    steps = {numbers[place + 1] - numbers[place] for place in range(999)}  # type: ignore[operator]
    assert len(steps) == 999
    assert references([], VAULT) == []


@pytest.mark.parametrize(("old", "number"), [("BQQC-WSPH-6", 1), ("D200-0000-F", 2**31)])
def test_unkeyed_reference_of_older_versions_is_still_read(old: str, number: int) -> None:
    assert read_reference(old, VAULT) == number
    assert read_reference(old[:-1] + ("0" if old[-1] != "0" else "1"), VAULT) is None


@given(st.text(max_size=16))
def test_no_text_breaks_the_reader(text: str) -> None:
    number = read_reference(text, VAULT)
    assert number is None or 0 <= number < 2**40
