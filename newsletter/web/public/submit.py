"""Hand what somebody asked for on a public page to the queue."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from newsletter import wiring
from newsletter.lib import clock
from newsletter.subscribers.form_requests import queue
from newsletter.subscribers.form_requests.values import FormRequest, Renewal
from newsletter.subscribers.manage_link import renewable
from newsletter.subscribers.tokens import InvalidToken
from newsletter.web.client_address import client_address
from newsletter.web.public.responses import invalid_link_page
from newsletter.web.see_other import SeeOther
from newsletter.worker import tasks


def submit(request: HttpRequest, asked: FormRequest, then: str) -> HttpResponse:
    """Store what was asked for, and lead to the page `then`: whatever the address, and whatever the limits say of it."""
    queue.put(asked, client=client_address(request), now=clock.utcnow(), vault=wiring.vault())
    tasks.publish("sign_ups")
    return SeeOther(reverse(then))


def submit_renewal(request: HttpRequest, token: str, then: str) -> HttpResponse:
    """Ask for a fresh link in place of an expired one."""
    if not renewable(token, now=clock.utcnow(), vault=wiring.vault()):
        return invalid_link_page(request, InvalidToken())
    return submit(request, Renewal(token), then)
