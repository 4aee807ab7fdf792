"""Alias packs: the spellings of a name across languages, in files that anybody can read and check."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Group:
    """All spellings of one name, and where they were taken from."""

    id: str
    name: str
    spellings: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Pack:
    """A file of groups. `version` is raised with every change."""

    version: int
    groups: tuple[Group, ...]


def read(path: Path) -> Pack:
    """Read a pack.

    Raises:
        ValueError: what is wrong with the file, and where.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path.name} cannot be read ({type(error).__name__})") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("version"), int) or not isinstance(raw.get("groups"), list):
        raise ValueError(f"{path.name} needs a 'version' number and a list of 'groups'")
    return Pack(raw["version"], tuple(_group(path.name, number, one) for number, one in enumerate(raw["groups"], 1)))


def as_query(group: Group) -> str:
    """A query that any of the spellings meets."""
    return " OR ".join(f'"{spelling}"' if " " in spelling else spelling for spelling in group.spellings)


def query_of(reference: str, directory: Path) -> str:
    """The query of `PACK:GROUP`, e.g. `peoples:uyghur`, from the packs in `directory`.

    Raises:
        ValueError: there is no such pack or group; says which there are.
    """
    pack, _, wanted = reference.partition(":")
    known = sorted(path.stem for path in directory.glob("*.yaml"))
    if pack not in known:
        raise ValueError(f"there is no such pack: there are {', '.join(known)}")
    groups = {group.id: group for group in read(directory / f"{pack}.yaml").groups}
    if wanted not in groups:
        raise ValueError(f"there is no such group in {pack}: there are {', '.join(groups)}")
    return as_query(groups[wanted])


def _group(file: str, number: int, raw: Any) -> Group:
    where = f"{file}, group {number}"
    if not isinstance(raw, dict) or not all(isinstance(raw.get(key), str) for key in ("id", "name", "from")):
        raise ValueError(f"{where} needs 'id', 'name' and 'from' as words")
    spellings = raw.get("spellings")
    if not isinstance(spellings, list) or not spellings or not all(isinstance(one, str) and one for one in spellings):
        raise ValueError(f"{where} needs a list of 'spellings'")
    if any('"' in one or "“" in one or "”" in one for one in spellings):
        raise ValueError(f"{where}: a spelling must not hold quotation marks")
    return Group(raw["id"], raw["name"], tuple(spellings), raw["from"])
