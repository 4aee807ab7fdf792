"""A command run in the process of the test."""

from collections.abc import Callable

import pytest

from newsletter.cli import invoke


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command; returns its exit code and what it wrote to standard output and standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        code = invoke(list(words))
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run
