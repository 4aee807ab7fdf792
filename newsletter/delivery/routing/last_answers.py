"""What each provider said last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.models import Attempt


@dataclass(frozen=True)
class ProviderAnswer:
    """The end of one hand-over: its outcome, how many mails it was about, and the provider's words in codes."""

    at: datetime
    outcome: str
    mails: int
    words: str


def last_answers(providers: Sequence[int], *, limit: int = 5) -> dict[int, list[ProviderAnswer]]:
    """The newest answers of each of these providers, the newest first. Attempts are kept for 14 days."""
    answered = Attempt.objects.filter(ended_at__isnull=False).select_related("batch").order_by("-ended_at")
    return {
        number: [
            ProviderAnswer(row.ended_at, row.outcome or "", row.batch.size, row.phase or "")
            for row in answered.filter(provider=number)[:limit]
            if row.ended_at is not None
        ]
        for number in providers
    }
