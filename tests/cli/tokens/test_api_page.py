"""The curl examples of docs/api.md, run in their order against the service in one process."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.security.service import ROOT, Service

PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_examples_of_the_page_work(tmp_path: Path) -> None:
    service = Service(tmp_path, part="run")
    script = "set -euo pipefail\n" + "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL))
    assert script.count("curl") > 12
    with service.running():
        scopes = {"TOKEN": ("read", "topics", "items", "sending"), "PEOPLE": ("people",)}
        made = {name: _token(service, name, *words) for name, words in scopes.items()}
        environment = {**service.environment, **made, "URL": f"http://127.0.0.1:{service.port}/api/v1"}
        done = subprocess.run(
            ["bash", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"erased": true' in done.stdout and "reader@example.org" not in done.stdout
    log = service.log.read_text(encoding="utf-8")
    assert "reader@example.org" not in log and made["TOKEN"] not in log


def _token(service: Service, name: str, *scopes: str) -> str:
    options = [word for scope in scopes for word in ("--scope", scope)]
    token: str = json.loads(service.command("tokens", "create", name, *options, "--json"))["token"]
    return token
