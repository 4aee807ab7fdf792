"""Numbers and names of the mail providers, as the ledger, logs and the command line show them."""

from typing import Final

#: Kind of provider → its number in the ledger: never changed, never reused. `smtps` is `smtp` with TLS from the first byte.
NUMBERS: Final = {"outbox": 1, "smtp": 2, "sendgrid": 3}
_KINDS: Final = {number: kind for kind, number in NUMBERS.items()}
#: Added to the number of the second provider of one kind.
SECOND: Final = 10


def name_of(number: int) -> str:
    """Return the name of a provider by its number in the ledger, configured or not."""
    kind = _KINDS.get(number % SECOND)
    return f"provider {number}" if kind is None else f"{kind}-2" if number > SECOND else kind


def number_of(name: str) -> int | None:
    """Return the number of a provider by its name, or None."""
    return NUMBERS.get(name) or next((number + SECOND for kind, number in NUMBERS.items() if name == f"{kind}-2"), None)
