"""The page behind a one-time link: an admin chooses the password of their account, and is signed in."""

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django import forms
from django.contrib.auth import logout
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from newsletter.admins import links
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.models import Admin
from newsletter.web.desk.page import page


class WelcomeForm(forms.Form):
    """A new password, typed twice: the link works once."""

    password = forms.CharField(strip=False, max_length=1000)
    again = forms.CharField(strip=False, max_length=1000)

    def __init__(self, data: Any, admin: Admin) -> None:
        super().__init__(data)
        self._admin = admin
        self.fields["password"].error_messages["required"] = gettext("Type a password")
        self.fields["again"].error_messages["required"] = gettext("Type the password again")

    def clean_password(self) -> str:
        """The password, if it is long enough and not a common one."""
        password: str = self.cleaned_data["password"]
        validate_password(password, self._admin)
        return password

    def clean_again(self) -> str:
        """The second one must be the same."""
        again: str = self.cleaned_data["again"]
        if self.cleaned_data.get("password", again) != again:
            raise ValidationError(gettext("The two passwords are not the same"))
        return again


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a password. Opening the page changes nothing."""
    admin = links.find(token, now=db.now())
    if admin is None:
        return page(request, "desk/accounts/used_link.html.j2", status=404)
    form = WelcomeForm(request.POST or None, admin)
    if request.method == "POST" and form.is_valid():
        used = links.use(token, form.cleaned_data["password"], now=db.now())
        if isinstance(used, Refused):
            return page(request, "desk/accounts/used_link.html.j2", status=404)
        return _sign_in(request, used)
    return page(request, "desk/accounts/welcome.html.j2", {"form": form, "account": admin})


def _sign_in(request: HttpRequest, admin: Admin) -> HttpResponse:
    """Sign in as whoever has used the link, also in the browser of a colleague who is signed in."""
    if request.user.is_authenticated:
        logout(request)
    login = Login(user=admin, redirect_url=reverse("desk_home"))
    answer: HttpResponse = perform_password_login(request, {"username": admin.username}, login)
    return answer
