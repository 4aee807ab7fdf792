"""Every text of pages and mails is marked for translation."""

from pathlib import Path

import pytest

from tests.i18n.marked import template_paths, unmarked_in_module, unmarked_in_template

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
#: Python modules that word pages and mails.
MODULES = [
    # robots.txt and security.txt are read by machines
    *(path for path in sorted((ROOT / "newsletter/web/public").glob("*.py")) if path.stem != "static_pages"),
    *sorted((ROOT / "newsletter/status").glob("*problems.py")),
    *sorted((ROOT / "newsletter/web/desk/home").glob("*.py")),
    *(
        ROOT / "newsletter/editions/rendering" / f"{name}.py"
        for name in ("notice_texts", "text_format", "presenters", "renderer", "template_environment")
    ),
]


@pytest.mark.parametrize("path", template_paths(TEMPLATES), ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_templates_hold_no_unmarked_text(path):
    assert unmarked_in_template(path.read_text(), html=".html." in path.name) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_modules_hold_no_unmarked_text(path):
    assert unmarked_in_module(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>{% trans %}Check your inbox{% endtrans %}</p>", []),
        ("<p>{{ _('Check your inbox') }}</p>", []),
        ("<p>{% trans count=n %}{{ count }} article{% pluralize %}{{ count }} articles{% endtrans %}</p>", []),
        ("<p>Check your inbox</p>", ["Check your inbox"]),
        ("<p>{{ count }} articles</p>", ["\ufffc articles"]),
        ('<img alt="A mail"><p class="two words"></p>', ["A mail"]),
        ('{{ fields.text(form, "address", "Your email address") }}', ["Your email address"]),
        ('{{ fields.text(form, "address", _("Your email address")) }}', []),
        ('{{ "Error: " if form.errors }}', ["Error: "]),
        ("<style>.two words { color: red }</style><p>·</p>", []),
        ('{% if kind == "Two words" %}{% endif %}', []),
    ],
)
def test_what_counts_as_unmarked_in_a_template(source, found):
    assert unmarked_in_template(source, html=True) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""Words of a module."""\nNAME = "two_words"', []),
        ('A = _("Check your inbox")', []),
        ('A = "Check your inbox"', ["line 1: Check your inbox"]),
        ('A = {"x": ("Daily",)}', ["line 1: Daily"]),
        (
            'def f(a: "Some Name") -> None:\n    """Do it."""\n    return g(f"{a} articles did")',
            ["line 3:  articles did"],
        ),
        ('__all__ = ["Panel", "Card"]', []),
    ],
)
def test_what_counts_as_unmarked_in_a_module(source, found):
    assert unmarked_in_module(source) == found
