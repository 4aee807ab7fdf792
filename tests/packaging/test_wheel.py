"""A wheel built from the tree carries all it needs, and runs in an empty environment and an empty directory."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from pathlib import Path

import httpx2
import pytest

from tests.services import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for name in ("newsletter", "templates", "packs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "worker.py", "beat_schedule.py"):
        shutil.copy(ROOT / name, source)
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(source / "dist"),
        str(source),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (made,) = (source / "dist").glob("*.whl")
    return made


def test_it_carries_what_it_needs_and_nothing_else(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    names = archive.namelist()
    for part in (
        "newsletter/templates/email/",
        "newsletter/templates/public/",
        "newsletter/packs/peoples.yaml",
        "newsletter/web/static/style.css",
        "newsletter/cli/demo/posts.yaml",
        "newsletter/migrations/0001_initial.py",
    ):
        assert any(name.startswith(part) for name in names), part
    entry_points = next(name for name in names if name.endswith("entry_points.txt"))
    assert "newsletter = newsletter.__main__:main" in archive.read(entry_points).decode()
    assert not [name for name in names if name.startswith(("tests", "worker", "beat_schedule", "templates"))]


def test_it_runs_where_nothing_else_is(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "venv"
    venv.create(place, with_pip=False)
    packages = next(place.glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(packages)
    # the run-time packages are those of this environment: the lock is installed for real by run.sh and test.sh
    (packages / "run-time.pth").write_text(sysconfig.get_paths()["purelib"])
    empty = tmp_path / "empty"
    empty.mkdir()
    port = free_port()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NEWSLETTER_", "PYTHONPATH", "DJANGO"))
    }
    process = subprocess.Popen(
        [place / "bin" / "python", "-m", "newsletter", "run"],
        env={**environment, "NEWSLETTER_BIND": f"127.0.0.1:{port}"},
        cwd=empty,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if httpx2.get(f"http://127.0.0.1:{port}/healthz").status_code == 200:
                    break
            except httpx2.TransportError:
                time.sleep(0.1)
        page = httpx2.get(f"http://127.0.0.1:{port}/")
        assert page.status_code == 200
        assert httpx2.get(f"http://127.0.0.1:{port}/static/style.css").status_code == 200
    finally:
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 0, told
    assert "Traceback" not in told
    assert (empty / "data" / "keys").exists()
