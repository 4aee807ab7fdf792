"""Wrap a provider so that only the addresses of NEWSLETTER_RECIPIENT_ALLOW are mailed: for use outside production."""

from collections.abc import Collection, Sequence

from newsletter.lib.mail.provider_interface import Outcome, Parcel, Provider, Rejected

_REASON = "not on NEWSLETTER_RECIPIENT_ALLOW"


class Allowlist:
    """Another provider, for some addresses only; mail to all others is rejected and never leaves."""

    def __init__(self, provider: Provider, allowed: Collection[str]) -> None:
        self._provider = provider
        self._allowed = frozenset(address.lower() for address in allowed)
        self.name: str = provider.name
        self.number: int = provider.number
        self.window: int | None = provider.window
        self.one_letter: bool = provider.one_letter

    def hand_over(self, parcels: Sequence[Parcel]) -> dict[int, Outcome]:
        """As the wrapped provider; a batch that is one request is split until all of its addresses are allowed, or none is."""
        allowed = [parcel for parcel in parcels if parcel.address.value.lower() in self._allowed]
        if self.window is None and 0 < len(allowed) < len(parcels):
            return {parcel.delivery_id: Rejected(_REASON, split=True) for parcel in parcels}
        outcomes: dict[int, Outcome] = {parcel.delivery_id: Rejected(_REASON) for parcel in parcels}
        if allowed:
            outcomes.update(self._provider.hand_over(allowed))
        return outcomes

    def close(self) -> None:
        """Close the wrapped provider's connections."""
        self._provider.close()
