"""The table of packages in docs/architecture.md is complete, and says of each whether it is pure."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ROOT / "newsletter"
ROW = re.compile(r"^\| ((?:`[\w/]+/`(?:, )?)+) \| .+ \| ?(yes|in part)? ?\|$", re.MULTILINE)


def rows() -> dict[str, str]:
    """Package, as `feeds/html`, → what its row says in the last column."""
    found = ROW.findall((ROOT / "docs/architecture.md").read_text())
    return {name.rstrip("/"): pure for names, pure in found for name in re.findall(r"`([\w/]+)`", names)}


def pure_modules() -> set[str]:
    """What the import contract holds to be pure, as `feeds/html` or `lib/urls`."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    pure = next(one for one in contracts if one["name"].startswith("Pure"))
    return {name.removeprefix("newsletter.").replace(".", "/") for name in pure["source_modules"]}


def test_every_package_is_in_the_table() -> None:
    listed = rows()
    packages = {path.parent.relative_to(CODE).as_posix() for path in CODE.rglob("*.py") if path.name != "__init__.py"}
    for package in packages - {".", "migrations"}:
        room = any(name.startswith(f"{package}/") for name in listed)  # entry points above its packages
        assert package in listed or room or package.startswith(("cli/", "web/desk/")), package


def test_the_table_calls_pure_what_the_contract_holds_to_be_pure() -> None:
    pure = pure_modules()
    for package, word in rows().items():
        inside = any(name.startswith(f"{package}/") for name in pure)
        assert word == ("yes" if package in pure else "in part" if inside else ""), package
