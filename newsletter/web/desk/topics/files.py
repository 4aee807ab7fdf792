"""Topics as a YAML file: an import that is looked at before it is done, and the export."""

import hashlib

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.lib import db
from newsletter.lib.refused import Refused
from newsletter.matching.topics import import_export, yaml_file
from newsletter.matching.workshop import import_plan
from newsletter.web.desk.access import actor_of
from newsletter.web.desk.page import done, page
from newsletter.web.desk.topics.forms import ImportForm


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """All topics but retired ones as a file; it never contains a reader's keyword."""
    written = yaml_file.write_topic_file(import_export.export_topics())
    answer = HttpResponse(written, content_type="application/yaml; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="topics.yaml"'
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
def import_(request: HttpRequest) -> HttpResponse:
    """A file or its text: first what it would do, then, with `do` as import, done."""
    if request.method != "POST":
        return _show(request, ImportForm(), "")
    form = ImportForm(request.POST, request.FILES)
    form.is_valid()
    upload = form.cleaned_data.get("file")
    if upload is not None and upload.size > import_export.MAX_BYTES:
        form.add_error("file", gettext("The file is too large: split it into smaller ones."))
        return _show(request, form, form.cleaned_data.get("text", ""))
    data = upload.read() if upload is not None else form.cleaned_data.get("text", "").encode()
    text = data.decode("utf-8-sig", errors="replace")
    if not data.strip():
        form.add_error("text", gettext("Choose a file, or paste its text."))
        return _show(request, form, text)
    plan = import_plan.plan_import(data)
    if isinstance(plan, Refused):
        form.add_error("text", plan.reason)
        return _show(request, form, text)
    # only what was looked at is imported: the text can be changed below the report
    looked_at = request.POST.get("looked_at") == _digest(text)
    if request.POST.get("do") == "import" and plan.does_something and looked_at:
        return _import(request, form, data, text)
    return _show(request, form, text, plan)


def _import(request: HttpRequest, form: ImportForm, data: bytes, text: str) -> HttpResponse:
    result = import_export.import_topics(data, now=db.now(), actor=actor_of(request), yes=True)
    if isinstance(result, Refused):
        form.add_error("text", result.reason)
        return _show(request, form, text)
    counts = {"added": len(result.added), "changed": len(result.changed), "refused": len(result.problems)}
    sentence = gettext("%(added)d topics added, %(changed)d changed, %(refused)d refused.") % counts
    if not result.problems:
        return done(request, sentence, reverse("desk_topics"))
    return _show(request, form, text, import_plan.plan_import(data), sentence)


def _digest(text: str) -> str:
    """A hash of a file's text, whatever its line ends, which a browser changes."""
    return hashlib.sha256("\n".join(text.splitlines()).encode()).hexdigest()


def _show(
    request: HttpRequest,
    form: ImportForm,
    text: str,
    plan: import_plan.ImportPlan | Refused | None = None,
    said: str = "",
) -> HttpResponse:
    shown = plan if isinstance(plan, import_plan.ImportPlan) else None
    return page(
        request,
        "desk/topics/import.html.j2",
        {"form": form, "text": text, "plan": shown, "said": said, "digest": _digest(text)},
    )
