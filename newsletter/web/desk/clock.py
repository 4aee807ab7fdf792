"""Whose clock times are shown by: the admin's own zone, or UTC. A switch at the foot of every page."""

from datetime import date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.http import require_POST

from newsletter.models import Admin
from newsletter.web.desk.page import back
from newsletter.web.see_other import SeeOther

#: In the session while times are shown in UTC.
_UTC = "desk_utc"


def shows_utc(request: HttpRequest) -> bool:
    """Whether this session shows times in UTC."""
    return bool(request.session.get(_UTC))


def zone(request: HttpRequest, admin: Admin) -> tzinfo:
    """The zone in which this session shows times."""
    return ZoneInfo("UTC" if shows_utc(request) else admin.time_zone)


def midnight(day: date) -> datetime:
    """When a day begins by the clock of the page."""
    return timezone.make_aware(datetime.combine(day, time()))


@require_POST
def switch(request: HttpRequest) -> SeeOther:
    """Show UTC, or the admin's zone again; back to the page where the button was."""
    if request.POST.get("clock") == "utc":
        request.session[_UTC] = True
    else:
        request.session.pop(_UTC, None)
    return SeeOther(back(request))
