"""Write the parts of the docs that are known elsewhere: settings, retention, colours, the index of decisions (`make docs`)."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import django

from newsletter.config import settings_table
from newsletter.lib import colors

DOCS = Path(__file__).parents[1] / "docs"
_TITLE = re.compile(r"# (\d+)\. (.+)")
_FACT = re.compile(r"^- (Date|Status|In short): (.+(?:\n  .+)*)", re.MULTILINE)

_SCHEME, _COLOUR = re.compile(r":root \{([^}]*)\}"), re.compile(r"--([\w-]+): (#\w{6});")
_BACKGROUNDS = {"paper", "card", "line", "bad-tint", "warn-tint"}


def settings() -> str:
    """The table of docs/configuration.md."""
    lines = ["| name | default | meaning |", "|---|---|---|"]
    for name, setting in settings_table.SETTINGS.items():
        default = f"`{setting.default}`" if setting.default else "—"
        secret = " (secret)" if setting.secret else ""
        lines.append(f"| `{settings_table.PREFIX}{name}` | {default} | {setting.meaning}{secret} |")
    return "\n".join(lines)


def retention() -> str:
    """The table of docs/privacy.md."""
    django.setup()
    from newsletter.worker import retention as rules  # its models need Django set up

    return rules.markdown()


def decisions() -> str:
    """The index of docs/decisions, from the first lines of each record.

    Raises:
        ValueError: a record lacks its title, date, status or sentence.
    """
    lines = ["| decision | in short | date | status |", "|---|---|---|---|"]
    for record in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        head = record.read_text().partition("\n## ")[0]
        title = _TITLE.match(head)
        facts = {name: " ".join(fact.split()) for name, fact in _FACT.findall(head)}
        if title is None or len(facts) != 3:
            raise ValueError(f"{record.name} must begin as the template in docs/decisions/README.md")
        short, date, status = facts["In short"], facts["Date"], facts["Status"]
        lines.append(f"| [{title[1]}. {title[2]}]({record.name}) | {short} | {date} | {status} |")
    return "\n".join(lines)


def colours() -> str:
    """The table of docs/design.md: the accent of the defaults, with its contrast on page and card."""
    palette = colors.palette(settings_table.DEFAULTS["ACCENT"])
    lines = ["| colour | light | contrast | dark | contrast |", "|---|---|---|---|---|"]
    css = (DOCS.parent / "newsletter/web/static/style.css").read_text()
    light, dark = (dict(_COLOUR.findall(block)) for block in _SCHEME.findall(css) if "--paper" in block)
    light |= {"accent": palette.light.accent, "accent-strong": palette.light.accent_strong}
    dark |= {"accent": palette.dark.accent, "accent-strong": palette.dark.accent_strong}
    for name in light:
        cells = [f"`--{name}`"]
        for scheme in (light, dark):
            worst = min(colors.contrast(scheme[name], scheme[paper]) for paper in ("paper", "card"))
            cells += [f"`{scheme[name]}`", "" if name in _BACKGROUNDS else f"{worst:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


#: Page below docs/ → what its part is called, and what writes it.
PARTS: Mapping[str, tuple[str, Callable[[], str]]] = {
    "configuration.md": ("settings", settings),
    "design.md": ("colours", colours),
    "privacy.md": ("retention", retention),
    "decisions/README.md": ("decisions", decisions),
}


def written(page: str) -> str:
    """A page's text with its part as it should be.

    Raises:
        ValueError: the page does not say where the part begins and ends.
    """
    name, table = PARTS[page]
    begin, end = f"<!-- {name}: written by `make docs` -->\n", f"<!-- {name} ends -->"
    before, found, rest = (DOCS / page).read_text().partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"docs/{page} needs the lines {begin.strip()} and {end}")
    return f"{before}{begin}{table()}\n{end}{after}"


def main() -> None:
    """Write all parts."""
    for page in PARTS:
        (DOCS / page).write_text(written(page))


if __name__ == "__main__":
    main()
