"""The entry for `celery -A worker`: a wrong setting is one line, without a traceback."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "NEWSLETTER_DATA_DIR": str(tmp_path),
        "NEWSLETTER_BROKER_URL": "redis://:secret#word@127.0.0.1:6379/0",
    }
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "worker", "worker"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert said.count("\n") == 1 and "NEWSLETTER_BROKER_URL" in said and "%23" in said
    assert "secret" not in said and "Traceback" not in said
