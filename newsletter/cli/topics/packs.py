"""The command that lists and checks alias packs."""

from typing import Annotated, Any

import typer
from django.conf import settings

from newsletter.cli.output import Json, example, fail, result, table
from newsletter.matching.aliases import pack_files
from newsletter.matching.aliases.groups import AliasGroup
from newsletter.matching.aliases.pack_files import AliasPackFile, InvalidPack
from newsletter.matching.aliases.pack_validation import PackProblem

app = typer.Typer()


@app.command(epilog=example("topics packs", "topics packs peoples"))
def packs(
    pack: Annotated[str, typer.Argument(metavar="[PACK]", help="Show the groups of this pack.")] = "",
    json: Json = False,
) -> None:
    """List the alias packs, or the groups of one, and check the files. Exit code 1 if one cannot be used."""
    names = pack_files.pack_names(settings.PACKS_DIR)
    if pack and pack not in names:
        fail(f"there is no pack {pack}: there are {', '.join(names)}")
    usable, problems = _check((pack,) if pack else names)
    if json:
        result({"packs": usable, "problems": problems}, json)
    elif pack:
        for shown in usable:
            result(None, False, f"{shown.title}, version {shown.version}")
            table(shown.groups, False, _GROUPS, empty="")
    else:
        table(usable, False, _PACKS, empty="No pack can be used.")
    if problems:
        if not json:
            result(None, False, *map(str, problems))
        fail(f"{len(problems)} to mend in {settings.PACKS_DIR}")


def _check(names: tuple[str, ...]) -> tuple[list[AliasPackFile], list[PackProblem]]:
    usable: list[AliasPackFile] = []
    problems: list[PackProblem] = []
    for name in names:
        try:
            usable.append(pack_files.read_pack(settings.PACKS_DIR / f"{name}.yaml"))
        except InvalidPack as error:
            problems += error.problems
    return usable, problems


def _only_with(group: AliasGroup) -> str:
    return "; ".join(f"{rule.spelling} (with {', '.join(rule.words)})" for rule in group.only_with)


_PACKS: dict[str, Any] = {
    "Pack": lambda row: row.name,
    "Version": lambda row: row.version,
    "Title": lambda row: row.title,
    "Groups": lambda row: len(row.groups),
    "Spellings": lambda row: sum(len(group.everything) for group in row.groups),
}
_GROUPS: dict[str, Any] = {
    "Group": lambda row: row.id,
    "Spellings": lambda row: ", ".join(row.spellings),
    "Found, not finding": lambda row: ", ".join(row.one_way),
    "Only with": _only_with,
    "From": lambda row: row.source,
}
