"""The files beside the code that contributors meet first: they run the same tools as test.sh."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_pre_commit_runs_tools_of_test_sh_and_fetches_none() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    run = {re.findall(r"\.venv-test/bin/(\S+)", hook["entry"])[0] for hook in config["repos"][0]["hooks"]}
    assert run == set(re.findall(r'^"\$bin/([a-z-]+)"', (ROOT / "test.sh").read_text(), re.MULTILINE)) - {"python"}


def test_the_workflow_runs_what_everybody_can_run() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert ".ci/run" in [step.get("run") for step in steps]
    assert workflow["permissions"] == {"contents": "read"}


def test_templates_of_issues_have_what_their_form_needs() -> None:
    for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.md"):
        head = yaml.safe_load(path.read_text().split("---")[1])
        assert {"name", "about"} <= set(head), path.name
