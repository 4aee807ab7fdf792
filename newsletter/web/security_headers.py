"""Headers on every answer that keep a page's content to itself."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from newsletter import wiring

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

#: A year, in seconds. For this host only: what else there is under the domain is not ours to decide.
HSTS = "max-age=31536000"


def security_headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: no scripts, no frames, nothing from elsewhere, nothing kept by caches unless a view says otherwise.

    HSTS (RFC 6797) goes by the pages' public address: the proxy that ends TLS speaks plain HTTP to us.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Permissions-Policy", "interest-cohort=()")
        response.headers.setdefault("Cache-Control", "no-store")
        if wiring.config().https:
            response.headers["Strict-Transport-Security"] = HSTS
        return response

    return answer
