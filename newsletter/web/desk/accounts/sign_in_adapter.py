"""How django-allauth signs admins in: our words, our idea of a client, limits per account and network, our audit log."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.core.internal import ratelimit
from django.contrib import messages
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy

from newsletter.admins import accounts
from newsletter.lib import db
from newsletter.models import Admin
from newsletter.subscribers.limits.network_limit import network_of
from newsletter.web.client_address import client_address

#: Where allauth would mail somebody that their account has changed, the audit log says it: template → action.
_CHANGES = {
    "mfa/email/totp_activated": "admin.app_added",
    "mfa/email/totp_deactivated": "admin.app_removed",
    "mfa/email/recovery_codes_generated": "admin.recovery_codes",
    "mfa/email/webauthn_added": "admin.passkey_added",
    "mfa/email/webauthn_removed": "admin.passkey_removed",
}
_SAID = {
    "account/messages/logged_out.txt": gettext_lazy("You are signed out."),
    "account/messages/password_changed.txt": gettext_lazy(
        "Your password is changed. Sessions in other browsers are signed out."
    ),
    "mfa/messages/totp_activated.txt": gettext_lazy("From now on you sign in with a code of your app, too."),
    "mfa/messages/totp_deactivated.txt": gettext_lazy("The app is removed."),
    "mfa/messages/webauthn_added.txt": gettext_lazy("The passkey is added. You can sign in with it."),
    "mfa/messages/webauthn_removed.txt": gettext_lazy("The passkey is removed."),
    "mfa/messages/recovery_codes_generated.txt": gettext_lazy(
        "New recovery codes were made. Keep them in a safe place."
    ),
}


class SignInAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Wrong password, unknown name and disabled account are answered alike."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": gettext_lazy("This name and this password do not belong together."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "enter_current_password": gettext_lazy("This is not your password."),
        "too_many_login_attempts": gettext_lazy("Too many failed attempts. Wait at least 15 minutes, then try again."),
        "rate_limited": gettext_lazy("Too many failed attempts. Wait at least 15 minutes, then try again."),
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        """The client's address; `::` where only a proxy's is known."""
        return str(client_address(request) or "::")

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count an attempt by name and network: nobody locks an admin out from elsewhere.

        Raises:
            ValidationError: there were too many.
        """
        key = f"{credentials.get('username', '').casefold()} {network_of(client_address(request))}"
        self._login_failed_rl_usage = ratelimit.consume(request, app="allauth.account", action="login_failed", key=key)
        if not self._login_failed_rl_usage:
            raise self.validation_error("too_many_login_attempts")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Admin | None:
        """Whose name and password these are; None also for a disabled account, which allauth would tell apart."""
        self.pre_authenticate(request, **credentials)
        admin = authenticate(request, **credentials)
        AuthenticationBackend.unstash_authenticated_user()
        if isinstance(admin, Admin):
            self._rollback_login_failed_rl_usage()
            return admin
        return None

    def login(self, request: HttpRequest, user: Admin) -> None:
        """Sign in. Whoever has just done so is not asked for the password again for half an hour."""
        super().login(request, user)
        records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
        request.session[AUTHENTICATION_METHODS_SESSION_KEY] = [row | {"reauthenticated": True} for row in records]

    def respond_user_inactive(self, request: HttpRequest, user: Admin) -> HttpResponse:
        """A passkey of a disabled account: the same as one that is not known."""
        messages.error(request, self.error_messages["username_password_mismatch"])
        return redirect("account_login")

    def set_password(self, user: Admin, password: str) -> None:
        """Change a password, and end the other sessions."""
        current = self.request.session.session_key or ""
        accounts.change_password(user, password, keep=current, now=db.now())

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *rest: Any, **more: Any
    ) -> None:
        """Say what has happened in our words; what has none is not worth saying."""
        sentence = more.get("message") or _SAID.get(message_template or "")
        if sentence:
            messages.add_message(request, level, str(sentence))

    def send_notification_mail(self, template_prefix: str, user: Admin, *rest: Any, **more: Any) -> None:
        """Write a change of a second factor to the audit log; admins have no address to mail to."""
        if template_prefix in _CHANGES:
            accounts.note_own_change(user, _CHANGES[template_prefix], now=db.now())

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Home."""
        return reverse("desk_home")

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Back to where one came from."""
        return reverse("desk_settings")
