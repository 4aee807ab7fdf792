"""One edition of a mailing: what is in it, and how it looks."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from newsletter import wiring
from newsletter.delivery.mailings.editions import EditionDetail, edition_detail
from newsletter.delivery.mailings.sample_mail import CLIPPED_AT, SampleMail, edition_sample
from newsletter.delivery.mailings.shown import shown_sums
from newsletter.lib.refused import Refused
from newsletter.lib.small_numbers import people_count
from newsletter.web import mail_parts
from newsletter.web.desk.mailings.views import least_for, mailing_or_404
from newsletter.web.desk.mailings.words import shown_mailing, sum_words
from newsletter.web.desk.page import page
from newsletter.web.mail_frame import FRAMES, framed_mail

VIEWS = (*FRAMES, "text", "source", "headers")


@require_safe
def edition(request: HttpRequest, occasion_id: int, edition_id: int) -> HttpResponse:
    """Its items and topics, what became of it, and the mail itself (`?view=`)."""
    row = mailing_or_404(occasion_id)
    shown = edition_or_404(request, occasion_id, edition_id)
    sample = _sample(edition_id)
    mail = {} if isinstance(sample, Refused) else _mail(sample)
    views = [view for view in VIEWS if view not in FRAMES or mail.get("html")]
    view = request.GET.get("view", "")
    threshold = wiring.config().small_number
    context = {
        "mailing": shown_mailing(row),
        "edition": shown,
        "people": people_count(shown.people, threshold=threshold),
        # whoever gets an edition follows all of its topics
        "sums": shown_sums(shown.sums, one_topic=True, threshold=threshold),
        "words": sum_words(),
        "mail": mail,
        "refused": sample.reason if isinstance(sample, Refused) else "",
        "views": views,
        "view": view if view in views else views[0],
        "frames": FRAMES,
    }
    return page(request, "desk/mailings/edition.html.j2", context)


@require_safe
def edition_html(request: HttpRequest, occasion_id: int, edition_id: int, dark: int) -> HttpResponse:
    """The HTML of the mail alone, for the frame; `dark` 1: as in dark mode, 0: as in light mode."""
    edition_or_404(request, occasion_id, edition_id)
    sample = _sample(edition_id)
    if isinstance(sample, Refused):
        raise Http404(sample.reason)
    return framed_mail(mail_parts.text_part(mail_parts.parse(sample.raw), "html"), dark=bool(dark))


def edition_or_404(request: HttpRequest, occasion_id: int, edition_id: int) -> EditionDetail:
    """An edition that this admin may see; one that few people get is as if it were not there."""
    shown = edition_detail(occasion_id, edition_id, least=least_for(request))
    if isinstance(shown, Refused):
        raise Http404(shown.reason)
    return shown


def _sample(edition_id: int) -> SampleMail | Refused:
    return edition_sample(edition_id, sender=wiring.mail_sender(), vault=wiring.vault(), now=timezone.now())


def _mail(sample: SampleMail) -> dict[str, object]:
    parsed = mail_parts.parse(sample.raw)
    return {
        "subject": mail_parts.header(parsed, "Subject"),
        "html": mail_parts.text_part(parsed, "html"),
        "text": mail_parts.text_part(parsed, "plain"),
        "source": sample.raw.decode("ascii", "replace"),
        "headers": [(name, mail_parts.header(parsed, name)) for name in dict.fromkeys(parsed.keys())],
        "kilobytes": -(-sample.size // 1024),
        "clipped_at": CLIPPED_AT // 1024,
        "clipped": sample.size > CLIPPED_AT,
    }
