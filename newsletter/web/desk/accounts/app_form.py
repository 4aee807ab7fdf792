"""The form that adds an app for codes. The secret waits in the session for the first code, encrypted."""

from typing import Any

from allauth.core import context
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from allauth.mfa.utils import decrypt, encrypt
from django import forms


class AppForm(ActivateTOTPForm):  # type: ignore[misc]
    """allauth's form would keep the secret in the session as it is, and sessions are in the database."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.user = kwargs.pop("user")
        forms.Form.__init__(self, *args, **kwargs)
        kept = context.request.session.get(SECRET_SESSION_KEY)
        self.secret = decrypt(kept) if self.is_bound and kept else generate_totp_secret()
        if not (self.is_bound and kept):
            context.request.session[SECRET_SESSION_KEY] = encrypt(self.secret)
