"""Row 55: what is installed is what was locked, byte for byte."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", "\n" + re.sub(r"(?m)^\s*#.*\n", "", (ROOT / name).read_text()))[1:]
    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z0-9,_-]+\])?==[^\s]+", entry), entry[:60]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry[:60]


def test_the_image_and_the_scripts_insist_on_them() -> None:
    for name in ("Dockerfile", "run.sh", "test.sh"):
        text = (ROOT / name).read_text()
        assert "requirements" in text
        assert all("--require-hashes" in line for line in text.splitlines() if re.search(r"install .*\.lock", line)), (
            name
        )


def test_images_are_pinned_by_their_digest() -> None:
    images = re.findall(r"(?m)^\s*image: (\S+)", (ROOT / "docker-compose.yml").read_text())
    images += re.findall(r"(?m)^FROM (\S+)", (ROOT / "Dockerfile").read_text())
    own = [one for one in images if "@sha256:" not in one]
    assert len(images) - len(own) >= 2 and all(":" not in one or one.startswith("newsletter") for one in own), own
