"""The command `newsletter`: written by the set-up, works from any folder, and hints name what was typed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.cli.command_name import name_in_hints

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a folder with an awkward name, whose environments stand ready: only the command is written."""
    folder = tmp_path / "it's a checkout"
    folder.mkdir()
    for name in ("newsletter", "templates", "packs", "scripts"):
        (folder / name).symlink_to(ROOT / name)
    for name in ("run.sh", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    ready = subprocess.run(
        [
            sys.executable,
            "-c",
            "import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read() + sys.version.encode()).hexdigest())",
        ],
        input=(ROOT / "requirements.lock").read_bytes(),
        capture_output=True,
        check=True,
    )
    (folder / ".venv" / ".ready").write_bytes(ready.stdout)
    return folder


def call(words: list[str | Path], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    base = {name: value for name, value in os.environ.items() if "NEWSLETTER_" not in name and name != "PYTHONPATH"}
    return subprocess.run(
        words,
        cwd=folder,
        env={**base, "PYTHON": sys.executable, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_set_up_writes_a_command_that_works_from_any_folder(checkout: Path, tmp_path: Path) -> None:
    assert "Usage: ./run.sh " in call(["./run.sh", "--help"], checkout).stdout
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = checkout / ".venv" / "bin" / "newsletter"
    assert call([command, "topics", "export", "topics.yaml"], elsewhere).returncode == 0
    # files are where the command was typed; relative settings mean the checkout
    assert (elsewhere / "topics.yaml").exists()
    assert (checkout / "data" / "keys").exists()
    assert sorted(elsewhere.iterdir()) == [elsewhere / "topics.yaml"]


def test_hints_name_what_was_typed(checkout: Path, tmp_path: Path) -> None:
    hint = call(["./run.sh", "feeds", "show", "9"], checkout).stderr
    assert "'./run.sh feeds list'" in hint
    command = checkout / ".venv" / "bin" / "newsletter"
    assert f"'{command} feeds list'" in call([command, "feeds", "show", "9"], tmp_path).stderr
    on_path = call(["newsletter", "feeds", "show", "9"], tmp_path, PATH=f"{command.parent}:{os.environ['PATH']}")
    assert "'newsletter feeds list'" in on_path.stderr
    examples = call(["./run.sh", "feeds", "show", "--help"], checkout).stdout
    assert "./run.sh feeds show 1" in examples and "newsletter feeds" not in examples
    page = call(["./run.sh", "feeds", "refresh", "--help"], checkout).stdout
    assert "'./run.sh once'" in page and "newsletter" not in page


def test_only_commands_in_hints_are_renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_NEWSLETTER_COMMAND", "./run.sh")
    text = "the newsletter 'newsletter' is at 'newsletter.example': see 'newsletter feeds list'"
    assert name_in_hints(text) == text.replace("newsletter feeds", "./run.sh feeds")
    monkeypatch.delenv("_NEWSLETTER_COMMAND")
    assert name_in_hints(text) == text
