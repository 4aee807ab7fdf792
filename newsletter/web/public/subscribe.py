"""The first page: choose, see what a word would have matched, leave an address; and what to expect then."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.lib import clock
from newsletter.subscribers.form_requests.values import SignUp
from newsletter.web.outbox.access import is_open
from newsletter.web.public import keyword_preview, page_data
from newsletter.web.public.forms import CADENCES, SUBJECTS, SubscribeForm
from newsletter.web.public.keyword_preview import NO_PREVIEW, preview_page
from newsletter.web.public.submit import submit
from newsletter.web.see_other import SeeOther


@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """Show the form; take it; or show what a word would have matched."""
    return _preview(request) if "preview" in request.POST else _subscribe(request)


def _preview(request: HttpRequest) -> HttpResponse:
    now, cards = clock.utcnow(), page_data.cards()
    form = SubscribeForm(request.POST, topics=cards, now=now)
    return _page(request, form, cards, keyword_preview.preview(form.keywords_to_preview(), now=now))


def _subscribe(request: HttpRequest) -> HttpResponse:
    now = clock.utcnow()
    cards = page_data.cards()
    if request.method != "POST":
        return _page(request, SubscribeForm(topics=cards, now=now), cards)
    form = SubscribeForm(request.POST, topics=cards, now=now)
    if form.trapped:
        return SeeOther(reverse("expect"))
    if not form.is_valid():
        return _page(request, form, cards)
    return submit(request, SignUp(form.cleaned_data["address"], form.choices()), "expect")


@require_safe
def expect(request: HttpRequest) -> HttpResponse:
    """What will be in the mailbox: the same page for every address."""
    context = page_data.sender() | {
        "subject": page_data.subject("confirm"),
        "subject_known": page_data.subject("add"),
        "outbox": is_open(request),
    }
    return render(request, "public/expect.html.j2", context)


def _page(
    request: HttpRequest, form: SubscribeForm, cards: list[page_data.Card], panel: keyword_preview.Panel = NO_PREVIEW
) -> HttpResponse:
    context = {
        "form": form,
        "topics": cards,
        "chosen": request.POST.getlist("topics"),
        "cadences": CADENCES,
        "subjects": SUBJECTS,
        "preview": panel,
        "articles": page_data.newest_articles(),
    } | page_data.publisher()
    return preview_page(render(request, "public/subscribe.html.j2", context, status=422 if form.errors else 200), panel)
