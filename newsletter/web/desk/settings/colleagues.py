"""The accounts of all admins, for owners: who may do what, and how new ones come."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from newsletter import wiring
from newsletter.admins import account_list, accounts, tokens
from newsletter.admins.links import AccountLink
from newsletter.lib import db, urls
from newsletter.lib.i18n import mark
from newsletter.lib.refused import Refused
from newsletter.models import Admin
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.page import done, page, refused

#: Role → what it may do, in a sentence.
ROLES = (
    (Admin.Role.EDITOR, mark("Editor"), mark("Works on feeds, topics, items and mailings. Never sees a subscriber.")),
    (Admin.Role.OWNER, mark("Owner"), mark("May do everything: subscribers, sending, colleagues and settings too.")),
)


class InviteForm(forms.Form):
    """A new colleague."""

    name = forms.CharField(max_length=100)
    role = forms.ChoiceField(choices=Admin.Role.choices, initial=Admin.Role.EDITOR)
    may_send = forms.BooleanField(required=False)


@require_http_methods(["GET", "HEAD", "POST"])
def colleagues(request: HttpRequest) -> HttpResponse:
    """The list of all admins; a POST invites another."""
    if request.method != "POST":
        return _list(request, InviteForm(initial={"role": Admin.Role.EDITOR}))
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _list(request, form)
    values = form.cleaned_data
    added = accounts.create(
        values["name"], role=values["role"], may_send=values["may_send"], actor=actor_of(request), now=db.now()
    )
    if isinstance(added, Refused):
        form.add_error("name", added.reason)
        return _list(request, form)
    return _link(request, added)


@require_POST
def reset(request: HttpRequest, name: str) -> HttpResponse:
    """Take somebody's password and second factor away, and show the link that sets a new password."""
    link = accounts.reset(name, actor=actor_of(request), now=db.now())
    return refused(request, link.reason, _address()) if isinstance(link, Refused) else _link(request, link)


@require_POST
def disable(request: HttpRequest, name: str) -> HttpResponse:
    """Sign somebody out, and let them in no longer. Tokens that they made belong to programs: said, and left to the owner."""
    disabled = accounts.disable(name, actor=actor_of(request), now=db.now())
    if isinstance(disabled, Refused):
        return refused(request, disabled.reason, _address())
    sentence = gettext("%(name)s is signed out and cannot sign in.") % {"name": disabled.username}
    if made := tokens.still_used_from(disabled.username, now=db.now()):
        more = gettext("Tokens that they made still work: %(tokens)s. Revoke those that they know.")
        sentence += " " + more % {"tokens": ", ".join(made)}
    return done(request, sentence, _address())


@require_POST
def enable(request: HttpRequest, name: str) -> HttpResponse:
    """Let somebody in again."""
    return _answer(request, accounts.enable, name, gettext("%(name)s can sign in again."))


@require_POST
def role(request: HttpRequest, name: str) -> HttpResponse:
    """Make somebody an editor or an owner."""
    chosen = request.POST.get("role", "")
    if chosen not in Admin.Role.values:
        return refused(request, gettext("Choose a role."), _address())
    sentence = gettext("%(name)s is an owner.") if chosen == Admin.Role.OWNER else gettext("%(name)s is an editor.")
    return _answer(request, accounts.set_role, name, sentence, role=chosen)


@require_POST
def may_send(request: HttpRequest, name: str) -> HttpResponse:
    """Give an editor the right to send messages, or take it."""
    give = request.POST.get("may_send") == "1"
    sentence = gettext("%(name)s may send messages.") if give else gettext("%(name)s may no longer send messages.")
    return _answer(request, accounts.set_may_send, name, sentence, may_send=give)


def _answer(
    request: HttpRequest, change: Callable[..., Admin | Refused], name: str, sentence: str, **values: Any
) -> HttpResponse:
    changed = change(name, **values, actor=actor_of(request), now=db.now())
    if isinstance(changed, Refused):
        return refused(request, changed.reason, _address())
    return done(request, sentence % {"name": changed.username}, _address())


def _list(request: HttpRequest, form: InviteForm) -> HttpResponse:
    roles = [(value, gettext(words), gettext(hint)) for value, words, hint in ROLES]
    context = {"rows": account_list.list_accounts(now=db.now()), "form": form, "roles": roles}
    return page(request, "desk/settings/colleagues.html.j2", context)


def _link(request: HttpRequest, link: AccountLink) -> HttpResponse:
    """Show a link, once: it is stored nowhere, so this answer to a form is no redirect."""
    address = urls.welcome_url(wiring.config().base_url, link.token)
    return page(request, "desk/settings/account_link.html.j2", {"link": link, "address": address})


def _address() -> str:
    return reverse("desk_settings_colleagues")
