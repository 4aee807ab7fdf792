"""Read alias packs: YAML files with groups of spellings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from newsletter.lib import yaml_loader
from newsletter.matching.aliases.groups import AliasGroup, OnlyWith
from newsletter.matching.aliases.pack_validation import PackProblem, validate_pack


@dataclass(frozen=True)
class AliasPackFile:
    """The content of a pack. `version` is raised with every change."""

    name: str
    version: int
    title: str
    groups: tuple[AliasGroup, ...]


class InvalidPack(ValueError):
    """A pack that cannot be used; `problems` has every reason."""

    def __init__(self, problems: Sequence[PackProblem]) -> None:
        more = f" (and {len(problems) - 1} more: see 'newsletter topics packs')" if len(problems) > 1 else ""
        super().__init__(f"{problems[0]}{more}")
        self.problems = tuple(problems)


def pack_names(directory: Path) -> tuple[str, ...]:
    """The names of all packs."""
    return tuple(sorted(path.stem for path in directory.glob("*.yaml")))


def read_pack(path: Path) -> AliasPackFile:
    """Read a pack.

    Raises:
        InvalidPack: with everything that is wrong with the file.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except OSError:
        raise InvalidPack([PackProblem(path.name, "it cannot be opened")]) from None
    except UnicodeDecodeError:
        raise InvalidPack([PackProblem(path.name, "it is not UTF-8: save it as UTF-8")]) from None
    return _parse_pack(path.stem, content)


@lru_cache(maxsize=16)  # to parse and check a pack takes 0.2 s, and every change of a topic reads them all
def _parse_pack(name: str, content: str) -> AliasPackFile:
    raw = _parse_yaml(f"{name}.yaml", content)
    problems = list(validate_pack(f"{name}.yaml", raw))
    if problems:
        raise InvalidPack(problems)
    return AliasPackFile(name, raw["version"], raw["title"], tuple(_group(name, group) for group in raw["groups"]))


def find_group(reference: str, directory: Path) -> AliasGroup:
    """The group of `PACK:GROUP`, e.g. `peoples:uyghur`.

    Raises:
        ValueError: there is no such pack or group (says which there are), or the pack cannot be used.
    """
    name, _, wanted = reference.partition(":")
    if name not in pack_names(directory):
        raise ValueError(f"there is no such pack: there are {', '.join(pack_names(directory))}")
    groups = {group.id: group for group in read_pack(directory / f"{name}.yaml").groups}
    if wanted not in groups:
        raise ValueError(f"there is no such group in {name}: there are {', '.join(groups)}")
    return groups[wanted]


def to_document(pack: AliasPackFile) -> list[dict[str, Any]]:
    """The groups in the form of the file, to be stored."""
    return [_written(group) for group in pack.groups]


def from_document(name: str, groups: Sequence[Mapping[str, Any]]) -> tuple[AliasGroup, ...]:
    """The inverse of `to_document`."""
    return tuple(_group(name, group) for group in groups)


def _written(group: AliasGroup) -> dict[str, Any]:
    only_with = [{"spelling": only.spelling, "words": list(only.words)} for only in group.only_with]
    written = {"id": group.id, "name": group.name, "from": group.source, "spellings": list(group.spellings)}
    return written | {"one-way": list(group.one_way), "only-with": only_with}


def _group(pack: str, raw: Mapping[str, Any]) -> AliasGroup:
    return AliasGroup(
        id=raw["id"],
        pack=pack,
        name=raw["name"],
        spellings=tuple(raw["spellings"]),
        source=raw["from"],
        one_way=tuple(raw.get("one-way", ())),
        only_with=tuple(OnlyWith(only["spelling"], tuple(only["words"])) for only in raw.get("only-with", ())),
    )


def _parse_yaml(file_name: str, content: str) -> Any:
    try:
        return yaml_loader.load(content)
    except yaml_loader.YamlRefused as refused:
        reason = f"line {refused.line}: {refused.reason}"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" near line {mark.line + 1}" if mark is not None else ""
        reason = f"it is not YAML{line}: compare with the lines above, and with another pack"
    raise InvalidPack([PackProblem(file_name, reason)])
