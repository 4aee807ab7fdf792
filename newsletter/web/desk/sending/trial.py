"""Two ways to try whether mail arrives: one mail to an address that is typed now, and what the DNS says."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from newsletter import delivery_wiring, wiring
from newsletter.delivery.sending.trial_mail import letter_of_test, outcome_words, send_test
from newsletter.dns_check.check import check_dns
from newsletter.dns_check.finding import Verdict
from newsletter.lib import db
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.page import done, page
from newsletter.web.desk.sending.forms import TrialMailForm

_TONES = {Verdict.GOOD: "good", Verdict.WARN: "warn", Verdict.BAD: "bad"}
_ORDER = (Verdict.BAD, Verdict.WARN, Verdict.GOOD)


@require_http_methods(["GET", "HEAD", "POST"])
def mail(request: HttpRequest) -> HttpResponse:
    """Send one mail, and say what the provider answered; the address is kept nowhere."""
    form = TrialMailForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _form(request, form)
    chosen = next(one for one in wiring.config().providers if one.name == form.cleaned_data["provider"])
    now, carrier = db.now(), delivery_wiring.test_provider(chosen)
    try:
        outcome = send_test(
            carrier,
            form.cleaned_data["address"],
            letter_of_test(wiring.config().organisation, chosen.name, now),
            domain=wiring.mail_sender().domain,
            now=now,
            actor=actor_of(request),
        )
    finally:
        carrier.close()
    taken, words = outcome_words(outcome)
    if not taken:
        said = gettext("%(name)s did not accept it: %(words)s") % {"name": chosen.name, "words": words}
        form.add_error(None, said)
        return _form(request, form)
    sentence = gettext(
        "%(name)s accepted the test mail. Check where it arrives, and its Authentication-Results header."
    )
    return done(request, sentence % {"name": chosen.name}, reverse("desk_sending"))


def _form(request: HttpRequest, form: TrialMailForm) -> HttpResponse:
    context = {"form": form, "files": wiring.config().mail_kind == "outbox"}
    return page(request, "desk/sending/test.html.j2", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def dns(request: HttpRequest) -> HttpResponse:
    """Look the sender's domain up, when the button is pressed: that takes up to ten seconds, and others see the questions."""
    found = None
    sender = wiring.checked_sender()
    if request.method == "POST":
        found = [(one, _TONES[one.verdict]) for one in check_dns(sender, wiring.dns_lookup())]
        found.sort(key=lambda pair: _ORDER.index(pair[0].verdict))
    words = {Verdict.GOOD: gettext("good"), Verdict.WARN: gettext("look at it"), Verdict.BAD: gettext("fix it")}
    return page(request, "desk/sending/dns.html.j2", {"findings": found, "domain": sender.domain, "words": words})
