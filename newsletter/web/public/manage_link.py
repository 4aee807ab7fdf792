"""Getting a link to one's preferences: by address, or from the foot of any mail."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from newsletter import wiring
from newsletter.subscribers import manage_link
from newsletter.subscribers.form_requests.values import LinkByAddress, LinkByToken
from newsletter.subscribers.tokens import InvalidToken
from newsletter.web.outbox.access import is_open
from newsletter.web.public import page_data
from newsletter.web.public.forms import AddressForm
from newsletter.web.public.responses import invalid_link_page
from newsletter.web.public.submit import submit
from newsletter.web.see_other import SeeOther


@require_http_methods(["GET", "HEAD", "POST"])
def ask_address(request: HttpRequest) -> HttpResponse:
    """Take an address, and say the same whatever became of it."""
    form = AddressForm(request.POST) if request.method == "POST" else AddressForm()
    if form.is_bound and form.trapped:
        return SeeOther(reverse("asked"))
    if not form.is_valid():
        return render(request, "public/ask.html.j2", {"form": form}, status=422 if form.errors else 200)
    return submit(request, LinkByAddress(form.cleaned_data["address"]), "asked")


@require_http_methods(["GET", "HEAD", "POST"])
def ask_token(request: HttpRequest, token: str) -> HttpResponse:
    """The link at a mail's foot: one button, that mails a fresh link to the mailbox the mail was sent to."""
    if not manage_link.is_ask_link(token, vault=wiring.vault()):
        return invalid_link_page(request, InvalidToken())
    if request.method != "POST":
        return render(request, "public/ask_token.html.j2", {"private": True})
    return submit(request, LinkByToken(token), "asked")


@require_safe
def asked(request: HttpRequest) -> HttpResponse:
    """What will be in the mailbox: the same page for every address."""
    context = page_data.sender() | {"subject": page_data.subject("manage"), "outbox": is_open(request)}
    return render(request, "public/asked.html.j2", context)
