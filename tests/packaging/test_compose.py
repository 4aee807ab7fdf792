"""No container engine is at hand in tests, so every name in the container files is checked against what exists."""

import re
from pathlib import Path
from typing import Any

import typer
import yaml

from newsletter import config
from newsletter.cli import app

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
OURS = ("migrate", "web", "worker", "beat")


def known(name: str) -> bool:
    short = name.removeprefix("NEWSLETTER_")
    return short in config.DEFAULTS or (short.removesuffix("_FILE") in config.SECRETS and short.endswith("_FILE"))


def test_every_variable_exists() -> None:
    named = re.findall(r"NEWSLETTER_[A-Z0-9_]+", (ROOT / "docker-compose.yml").read_text() + DOCKERFILE + EXAMPLE)
    assert named
    assert [name for name in named if not known(name)] == []


def test_the_example_names_every_setting() -> None:
    assert {f"NEWSLETTER_{name}" for name in config.DEFAULTS} == set(re.findall(r"NEWSLETTER_[A-Z0-9_]+(?==)", EXAMPLE))


def test_compose_passes_every_setting_that_the_example_sets() -> None:
    asked = set(re.findall(r"^(NEWSLETTER_[A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))
    assert asked <= COMPOSE["services"]["web"]["environment"].keys()


def test_every_command_exists() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name in OURS:
        words = COMPOSE["services"][name]["command"].split()
        if words[0] == "newsletter":
            assert words[1] in commands
        else:
            assert words[:3] == ["celery", "-A", "worker"]
            assert words[3] in ("worker", "beat")
    assert (ROOT / "worker.py").exists()
    assert 'CMD ["newsletter", "web"]' in DOCKERFILE


def test_every_path_that_is_copied_exists() -> None:
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source


def test_ports_agree() -> None:
    assert "NEWSLETTER_BIND=0.0.0.0:8000" in DOCKERFILE
    assert "EXPOSE 8000" in DOCKERFILE
    assert COMPOSE["services"]["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "127.0.0.1:8000/healthz" in DOCKERFILE


def test_redis_keeps_what_it_holds_and_is_not_published() -> None:
    redis = COMPOSE["services"]["redis"]
    assert "--appendonly yes" in redis["command"]
    assert "--maxmemory-policy noeviction" in redis["command"]
    assert "ports" not in redis
    assert "ports" not in COMPOSE["services"]["postgres"]


def test_secrets_are_required_and_mail_is_a_profile() -> None:
    environment = COMPOSE["services"]["worker"]["environment"]
    for name in ("NEWSLETTER_SECRET_KEY", "NEWSLETTER_ADDRESS_KEYS"):
        assert environment[name].startswith(f"${{{name}:?")
    assert "${POSTGRES_PASSWORD:?" in environment["NEWSLETTER_DATABASE_URL"]
    assert COMPOSE["services"]["mail"]["profiles"] == ["mail"]
