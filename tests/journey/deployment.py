"""The processes of a spread-out deployment under test: started by hand, ended together."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def one_after_the_other(*commands: tuple[str, ...]) -> str:
    """A program that runs `newsletter` commands in one process: one for each would mostly load the same modules again.

    It prints a form feed after what each command prints, and fails when one fails.
    """
    return (
        "from newsletter.__main__ import run\n"
        f"for words in {commands!r}:\n"
        "    assert run(list(words)) == 0, words\n"
        "    print(end=chr(12))"
    )


class Deployment:
    """The processes of a deployment, with one environment."""

    def __init__(self, environment: dict[str, str], logs: Path) -> None:
        self.environment = environment
        self.logs = logs
        self.processes: list[subprocess.Popen[bytes]] = []

    def run(self, *commands: tuple[str, ...]) -> None:
        """Run `newsletter` commands to their end, in one process."""
        done = subprocess.run(
            [sys.executable, "-c", one_after_the_other(*commands)],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr

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
