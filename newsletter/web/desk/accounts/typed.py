"""What somebody typed into a form, for pages that stand between its button and what the button does."""

from typing import Final

from django.http import HttpRequest

#: Fields of ours on such pages: name and password, a code, the password once more. No form of the desk has these names.
NAME: Final = "sign_in_name"
PASSWORD: Final = "sign_in_password"  # noqa: S105 - a field's name
CODE: Final = "sign_in_code"
CONFIRM: Final = "confirm_password"


def typed_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields of a POST, in their order, without ours and the word against forgery."""
    ours = (NAME, PASSWORD, CODE, CONFIRM, "csrfmiddlewaretoken")
    return [(name, value) for name, values in request.POST.lists() if name not in ours for value in values]
