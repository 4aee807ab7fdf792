"""The second step of signing in."""

from allauth.account.internal.stagekit import clear_login, unstash_login
from allauth.mfa.base import views
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def second_step(request: HttpRequest) -> HttpResponse:
    """Ask for a code or a passkey; start again where an owner has reset or disabled the account meanwhile.

    allauth would send such a browser to and fro between the two steps.
    """
    login = unstash_login(request, peek=True)
    if login is not None and not (login.user.is_active and is_mfa_enabled(login.user, _FACTORS)):
        clear_login(request)
        return redirect("account_login")
    answer: HttpResponse = views.authenticate(request)
    return answer
