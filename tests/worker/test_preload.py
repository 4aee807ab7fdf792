"""A worker imports before it forks whatever its tasks will ask `wiring` for."""

import ast
import os
import subprocess
import sys
from pathlib import Path

from newsletter import delivery_wiring, edition_wiring, wiring

ROOT = Path(__file__).parents[2]


def built_late() -> set[str]:
    """The modules that functions of the wiring import."""
    trees = [ast.parse(Path(module.__file__).read_text()) for module in (wiring, delivery_wiring, edition_wiring)]
    functions = [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    late = [node for function in functions for node in ast.walk(function) if isinstance(node, ast.ImportFrom)]
    packages = {f"{node.module}.{alias.name}" for node in late for alias in node.names}
    modules = {node.module for node in late if node.module}
    return {name for name in packages | modules if (path := ROOT / name.replace(".", "/")).is_dir() or is_file(path)}


def is_file(path: Path) -> bool:
    return path.with_suffix(".py").is_file()


def test_a_worker_has_everything_before_it_forks(tmp_path: Path) -> None:
    late = built_late()
    assert "newsletter.providers.smtp.provider" in late and "newsletter.delivery.routing.rules" in late
    done = subprocess.run(
        [sys.executable, "-c", "import sys, worker; print(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "NEWSLETTER_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    # no task looks anything up in the DNS
    needed = {name for name in late if not name.startswith("newsletter.dns_check")}
    assert {*needed, "email_validator"} - set(done.stdout.split()) == set()
