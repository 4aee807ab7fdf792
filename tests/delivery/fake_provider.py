"""A provider that answers by script and remembers what it was handed: to test states, without a wire."""

from collections.abc import Callable, Sequence

from newsletter.delivery.send import Sender
from newsletter.lib.mail.provider_interface import Accepted, Outcome, Parcel, Provider
from tests import factories

Script = Callable[[Parcel], Outcome]


class ScriptedProvider:
    """Answers each parcel by `script`; `window` and `one_letter` as a test wants them."""

    name = "scripted"

    def __init__(self, script: Script = lambda _parcel: Accepted(), *, window: int | None = 2, number: int = 1) -> None:
        self.script = script
        self.window = window
        self.number = number
        self.one_letter = window is None
        self.handed: list[Parcel] = []
        self.windows: list[int] = []

    def hand_over(self, parcels: Sequence[Parcel]) -> dict[int, Outcome]:
        self.windows.append(len(parcels))
        handed = list(parcels)  # columns make another one each time they are asked
        self.handed.extend(handed)
        return {parcel.delivery_id: self.script(parcel) for parcel in handed}

    def close(self) -> None:
        pass


def sender(provider: Provider) -> Sender:
    """A sender for a provider, with the keys of the tests' rows."""
    return Sender(provider=provider, vault=factories.VAULT, base_url="https://news.example.org", domain="example.org")
