"""The tokens of the API, for owners: make one, which is shown once, and revoke it."""

from datetime import timedelta

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from newsletter.admins import tokens
from newsletter.lib import db
from newsletter.lib.i18n import mark
from newsletter.lib.refused import Refused
from newsletter.models import ApiToken
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.page import done, page, refused

#: Scope → what it allows.
SCOPES = (
    (ApiToken.Scope.READ, mark("Read"), mark("feeds, topics, items, mailings and health; no subscriber")),
    (ApiToken.Scope.TOPICS, mark("Topics"), mark("add and change topics, hold and release them")),
    (ApiToken.Scope.ITEMS, mark("Feeds and items"), mark("add and change feeds, publish items")),
    (ApiToken.Scope.SENDING, mark("Sending"), mark("pause and resume sending, send mails again")),
    (
        ApiToken.Scope.PEOPLE,
        mark("Subscribers"),
        mark("one subscriber at a time, by full address, and suppressions; alone, without any other scope"),
    ),
)
_DAYS = ((30, mark("30 days")), (90, mark("90 days")), (365, mark("a year")), (730, mark("two years")))


class TokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(max_length=60)
    scopes = forms.MultipleChoiceField(choices=ApiToken.Scope.choices)
    days = forms.TypedChoiceField(coerce=int, initial=365)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["days"].choices = [(days, gettext(words)) for days, words in _DAYS]  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
def token_list(request: HttpRequest) -> HttpResponse:
    """The list of all tokens; a POST makes another and shows it."""
    if request.method != "POST":
        return _list(request, TokenForm(initial={"days": 365, "scopes": ["read"]}))
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _list(request, form)
    values, now = form.cleaned_data, db.now()
    expires_at = now + timedelta(days=values["days"])
    made = tokens.create(values["name"], values["scopes"], expires_at=expires_at, actor=actor_of(request), now=now)
    if isinstance(made, Refused):
        form.add_error("scopes" if "scope" in made.reason else "name", made.reason)
        return _list(request, form)
    # stored nowhere, so this answer to a form is no redirect
    return page(request, "desk/settings/token.html.j2", {"token": made})


@require_POST
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Let a token do nothing any more."""
    name = ApiToken.objects.filter(id=token_id).values_list("name", flat=True).first() or ""
    revoked = tokens.revoke(name, actor=actor_of(request), now=db.now())
    address = reverse("desk_settings_tokens")
    if isinstance(revoked, Refused):
        return refused(request, revoked.reason, address)
    return done(request, gettext("%(name)s is revoked.") % {"name": revoked.name}, address)


def _list(request: HttpRequest, form: TokenForm) -> HttpResponse:
    now = db.now()
    rows = [(token, tokens.state(token, now=now)) for token in tokens.list_tokens()]
    scopes = [(value, gettext(words), gettext(hint)) for value, words, hint in SCOPES]
    return page(request, "desk/settings/tokens.html.j2", {"rows": rows, "form": form, "scopes": scopes})
