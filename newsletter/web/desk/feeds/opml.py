"""Feeds as OPML: a file from another reader is added with a report per line; all feeds can be downloaded as one."""

import contextlib
from typing import Any

from django import forms
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.feeds.catalogue import opml_import
from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.page import page
from newsletter.web.filters import sentence
from newsletter.worker import tasks


class OpmlForm(forms.Form):
    """An OPML file, or its text."""

    file = forms.FileField(required=False)
    text = forms.CharField(required=False, strip=False)

    def clean(self) -> dict[str, Any]:
        """One of the two is needed."""
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("file") and not cleaned.get("text", "").strip():
            self.add_error("file", gettext("Choose an OPML file, or paste its text."))
        return cleaned

    @property
    def data_sent(self) -> bytes:
        """The bytes of the file, or of the text."""
        file = self.cleaned_data["file"]
        data: bytes = file.read() if file else self.cleaned_data["text"].encode()
        return data


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def read_in(request: HttpRequest) -> HttpResponse:
    """Add the feeds of an OPML file, which only this page takes, in memory. Nothing of what they have now is mailed.

    Exempt from the check of the middleware because that reads the form before a handler for files can be set; `_read_in` is not.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > opml_import.LARGEST_BODY:
        return _ask(request, OpmlForm(), reason=gettext("The file is larger than 1 MB: split it."), status=413)
    with contextlib.suppress(
        AttributeError
    ):  # a form without a file is read already, to sign somebody in or look at it
        request.upload_handlers = [MemoryFileUploadHandler(request)]
    return _read_in(request)


@csrf_protect
def _read_in(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _ask(request, OpmlForm())
    form = OpmlForm(request.POST, request.FILES)
    if not form.is_valid():
        return _ask(request, form, status=422)
    done = opml_import.import_opml(
        form.data_sent,
        cap=opml_import.PAGE_CAP,
        now=db.now(),
        actor=actor_of(request),
    )
    if isinstance(done, Refused):
        return _ask(request, form, reason=sentence(done.reason), status=422)
    if done.added:
        tasks.publish("refresh_due")
    return page(request, "desk/feeds/imported.html.j2", {"done": done})


@require_safe
def write_out(_request: HttpRequest) -> HttpResponse:
    """All feeds as a file."""
    answer = HttpResponse(opml_import.export_opml(now=db.now()), content_type="text/x-opml; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="feeds.opml"'
    return answer


def _ask(request: HttpRequest, form: OpmlForm, *, reason: str = "", status: int = 200) -> HttpResponse:
    return page(request, "desk/feeds/import.html.j2", {"form": form, "reason": reason}, status=status)
