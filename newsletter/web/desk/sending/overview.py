"""How mail leaves: providers, the day's cap, shares, workers."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from newsletter import wiring
from newsletter.config.rate_limits import RateLimits
from newsletter.delivery.feedback import reputation
from newsletter.delivery.routing.rules import EVERYBODY
from newsletter.lib import db
from newsletter.lib.i18n import mark
from newsletter.lib.mail.provider_ids import name_of
from newsletter.models import AttemptOutcome
from newsletter.status.sending_state import ProviderState, read_sending
from newsletter.web.desk.page import page
from newsletter.web.desk.sending.forms import ShareForm

#: Outcome of a hand-over → words, tone.
_OUTCOMES = {
    AttemptOutcome.ACCEPTED: (mark("accepted"), "good"),
    AttemptOutcome.FAILED: (mark("rejected"), "bad"),
    AttemptOutcome.UNKNOWN: (mark("in doubt"), "warn"),
    AttemptOutcome.DEFERRED: (mark("deferred"), "warn"),
    AttemptOutcome.SPLIT: (mark("asked for smaller parts"), "quiet"),
    AttemptOutcome.EMPTY: (mark("nobody was left to mail"), "quiet"),
}


@require_safe
def sending(request: HttpRequest) -> HttpResponse:
    """All of it on one page."""
    return shown(request, ShareForm())


def shown(request: HttpRequest, share: ShareForm, *, status: int = 200) -> HttpResponse:
    """The page, with the form about shares as it was typed."""
    state, config = read_sending(now=db.now()), wiring.config()
    # the broken comes first
    providers = sorted((_provider(one) for one in state.providers), key=lambda row: row["tone"] == "good")
    context = {
        "state": state,
        "providers": providers,
        "two": len(config.providers) > 1,
        "paces": _domain_paces(config.limits),
        "rules": [
            {"rule": rule, "provider": name_of(rule.provider), "everybody": rule.domain == EVERYBODY}
            for rule in state.rules
        ],
        "share": share,
        "complaints_pause": reputation.COMPLAINTS_PAUSE,
        "bounces_pause": reputation.FLOOD_SHARE,
        "alive": sum(not row.dead for row in state.workers),
    }
    return page(request, "desk/sending/sending.html.j2", context, status=status)


def _provider(one: ProviderState) -> dict[str, Any]:
    status = one.status
    if not status.open:
        word, tone = gettext("paused"), "bad"
    elif one.breaker is not None:
        word, tone = gettext("left alone"), "bad"
    elif status.out_since is not None:
        word, tone = gettext("out of reach"), "bad"
    elif one.reputation is not None and one.reputation.warns:
        word, tone = gettext("look at what comes back"), "warn"
    else:
        word, tone = gettext("open"), "good"
    answers = [
        {"answer": answer, "words": gettext(words), "tone": colour}
        for answer in one.answers
        for words, colour in [_OUTCOMES.get(AttemptOutcome(answer.outcome), (answer.outcome, "quiet"))]
    ]
    return {"name": status.provider, "state": one, "word": word, "tone": tone, "answers": answers}


def _domain_paces(limits: RateLimits) -> list[tuple[str, float]]:
    """Domains that share a pace, and the pace in mails per second."""
    groups: dict[str, list[str]] = {}
    for domain, (first, _) in limits.domains.items():
        groups.setdefault(first, []).append(domain)
    return [(", ".join(domains), limits.domains[first][1]) for first, domains in groups.items()]
