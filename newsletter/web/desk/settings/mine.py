"""What an admin chooses for themselves: zone, password, second factor, sessions."""

from functools import cache
from zoneinfo import available_timezones

from allauth.mfa.models import Authenticator
from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from newsletter.admins import accounts, sessions
from newsletter.lib import db, time_zones
from newsletter.web.desk.access import admin_of
from newsletter.web.desk.page import done, page
from newsletter.web.desk.settings.browsers import browser_name


@cache
def _zones() -> list[str]:
    return sorted(zone for zone in available_timezones() if time_zones.is_place(zone))


class ZoneForm(forms.Form):
    """The zone in which the desk shows times."""

    time_zone = forms.ChoiceField(choices=lambda: [(name, name.replace("_", " ")) for name in _zones()])


@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """The page of one's own settings."""
    return _page(request, ZoneForm({"time_zone": admin_of(request).time_zone}))


@require_POST
def zone(request: HttpRequest) -> HttpResponse:
    """Choose the zone."""
    form = ZoneForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    accounts.set_time_zone(admin_of(request), form.cleaned_data["time_zone"])
    chosen = gettext("Times are now shown in %(zone)s.") % {"zone": form.cleaned_data["time_zone"]}
    return done(request, chosen, reverse("desk_settings"))


@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign one browser out."""
    if not sessions.end_one(admin_of(request).id, session_id):
        raise Http404
    return done(request, gettext("That browser is signed out."), reverse("desk_settings"))


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign all other browsers out."""
    ended = sessions.end_all(admin_of(request).id, keep=request.session.session_key or "")
    sentence = ngettext("%(count)s other browser is signed out.", "%(count)s other browsers are signed out.", ended)
    return done(request, sentence % {"count": ended}, reverse("desk_settings"))


@require_safe
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """The codes that are left. allauth's own page writes that they were looked at, and looking changes nothing here."""
    admin, kind = admin_of(request), Authenticator.Type.RECOVERY_CODES
    codes = Authenticator.objects.filter(user_id=admin.id, type=kind).first()
    if codes is None:
        raise Http404
    context = {"unused_codes": codes.wrap().get_unused_codes()}
    return page(request, "mfa/recovery_codes/index.html.j2", context)


def _page(request: HttpRequest, form: ZoneForm) -> HttpResponse:
    admin = admin_of(request)
    own = list(Authenticator.objects.filter(user_id=admin.id).order_by("created_at"))
    by_type = {one.type: one for one in own}
    codes = by_type.get(Authenticator.Type.RECOVERY_CODES)
    factors = {
        "app": by_type.get(Authenticator.Type.TOTP),
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
        "passkeys": [one for one in own if one.type == Authenticator.Type.WEBAUTHN],
    }
    current = request.session.session_key or ""
    open_sessions = sessions.list_open(admin.id, current=current, now=db.now())
    rows = [(one, browser_name(one.agent)) for one in open_sessions]
    return page(request, "desk/settings/mine.html.j2", {"form": form, "sessions": rows, **factors})
