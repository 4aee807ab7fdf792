"""Write the parts of the docs that the code knows: the table of what is kept, in docs/privacy.md."""

from pathlib import Path

import django

PAGE = Path(__file__).parents[1] / "docs" / "privacy.md"
BEGIN, END = "<!-- retention: written by `make docs` -->\n", "<!-- retention ends -->"


def parts(page: str) -> tuple[str, str, str]:
    """What stands before the table, the table, and what stands behind it."""
    before, _, rest = page.partition(BEGIN)
    table, _, after = rest.partition(END)
    return before, table, after


def main() -> None:
    """Write the table."""
    django.setup()
    from newsletter.worker import retention

    before, _, after = parts(PAGE.read_text())
    PAGE.write_text(f"{before}{BEGIN}{retention.markdown()}\n{END}{after}")


if __name__ == "__main__":
    main()
