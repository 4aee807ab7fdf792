"""Signs in on the way of a form whose session has ended, so that nothing typed is lost. Nothing of it is stored."""

from allauth.account import signals
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.core import ratelimit
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext

from newsletter.models import Admin
from newsletter.web.desk.accounts.typed import CODE, NAME, PASSWORD, typed_fields
from newsletter.web.desk.page import page


def sign_in_again(request: HttpRequest) -> HttpResponse | None:
    """Answer with a page that carries the form and asks who it is, or with None if that came along and is right."""
    wrong = ""
    if NAME in request.POST:
        # a view that checks this itself, later, would let another site sign somebody in as whom it likes
        forged = CsrfViewMiddleware(_never).process_view(request, _never, (), {})
        if forged is not None:
            return forged
        limited: HttpResponse | None = ratelimit.consume_or_429(request, action="login")
        if limited is not None:
            return limited
        try:
            _sign_in(request)
        except ValidationError as error:
            wrong = str(error.messages[0])
        else:
            return None
    names = {"name": NAME, "password": PASSWORD, "code": CODE}
    context = {"typed": typed_fields(request), "wrong": wrong, "names": names, "said": request.POST.get(NAME, "")}
    return page(request, "desk/accounts/sign_in_again.html.j2", context, status=403)


def _never(request: HttpRequest) -> HttpResponse:
    raise NotImplementedError


def _sign_in(request: HttpRequest) -> None:
    adapter, name = get_adapter(request), request.POST.get(NAME, "").replace("\x00", "").strip()
    admin = adapter.authenticate(request, username=name, password=request.POST.get(PASSWORD, ""))
    if admin is None:
        raise adapter.validation_error("username_password_mismatch")
    code = _checked_code(request, admin)
    record_authentication(request, admin, method="password", username=admin.username)
    if code is not None:
        code.save()
    adapter.login(request, admin)
    signals.user_logged_in.send(sender=Admin, request=request, response=None, user=admin)


def _checked_code(request: HttpRequest, admin: Admin) -> AuthenticateForm | None:
    """The second factor, for those who have one."""
    if not is_mfa_enabled(admin, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]):
        return None
    form = AuthenticateForm(user=admin, data={"code": request.POST.get(CODE, "")})
    if form.is_valid():
        return form
    missing = gettext("This account has a second factor: type a code of your app or a recovery code, too.")
    raise ValidationError(form.errors["code"][0] if request.POST.get(CODE) else missing)
