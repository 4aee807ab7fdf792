"""The processes of a spread-out deployment under test: started by hand, ended together."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Deployment:
    """The processes of a deployment, with one environment."""

    def __init__(self, environment: dict[str, str], logs: Path) -> None:
        self.environment = environment
        self.logs = logs
        self.processes: list[subprocess.Popen[bytes]] = []

    def run(self, *command: str) -> str:
        """Run a `newsletter` command to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "newsletter", *command],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command[:2]}: {done.stderr}"
        return done.stdout

    def publish(self, name: str) -> None:
        """Publish a task from a process of its own."""
        code = f"from newsletter.worker.tasks import publish; publish({name!r})"
        subprocess.run([sys.executable, "-c", code], env=self.environment, cwd=ROOT, check=True, timeout=60)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        log = (self.logs / f"{len(self.processes)}-{command[-1]}.log").open("wb")
        process = subprocess.Popen([sys.executable, *command], env=self.environment, cwd=ROOT, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
