"""A redirect after a button was pressed."""

from django.http import HttpResponseRedirect


class SeeOther(HttpResponseRedirect):
    """303: look there now, with GET; so that "reload" never presses a button again (RFC 9110 section 15.4.4)."""

    status_code = 303
