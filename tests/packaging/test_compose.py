"""No container engine is at hand in tests, so every name in the container files is checked against what exists."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from newsletter import settings
from newsletter.cli import app
from newsletter.config import config, settings_table
from tests.services import free_port, wait_for_port

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
OURS = ("migrate", "web", "worker", "beat")


def known(name: str) -> bool:
    short = name.removeprefix("NEWSLETTER_")
    return short in settings_table.DEFAULTS or (
        short.removesuffix("_FILE") in settings_table.SECRETS and short.endswith("_FILE")
    )


def test_every_variable_exists() -> None:
    named = re.findall(r"NEWSLETTER_[A-Z0-9_]+", (ROOT / "docker-compose.yml").read_text() + DOCKERFILE + EXAMPLE)
    assert named
    assert [name for name in named if not known(name)] == []


def test_the_example_names_every_setting() -> None:
    assert {f"NEWSLETTER_{name}" for name in settings_table.DEFAULTS} == set(
        re.findall(r"NEWSLETTER_[A-Z0-9_]+(?==)", EXAMPLE)
    )


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


def test_nothing_but_the_pages_is_published() -> None:
    for name, service in COMPOSE["services"].items():
        published = service.get("ports", [])
        assert (not published) or (name in ("web", "mail")), name
        assert all(port.startswith("127.0.0.1:") for port in published), name


def test_no_container_has_rights_that_it_does_not_need() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"]), name
        assert service["pids_limit"] > 0, name
        assert "privileged" not in service and "cap_add" not in service and "network_mode" not in service, name
        assert name in OURS or service["user"].split(":")[0] not in ("root", "0"), name
        assert name == "postgres" or name == "mail" or service["read_only"] is True, name
    assert "\nUSER newsletter\n" in DOCKERFILE


def test_images_are_pinned() -> None:
    images = [service["image"] for name, service in COMPOSE["services"].items() if name not in OURS]
    images += re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(images) == 5
    for image in images:
        assert re.fullmatch(r"[\w/.-]+:v?\d+\.\d+[\w.-]*@sha256:[0-9a-f]{64}", image), image


def test_every_secret_is_a_file() -> None:
    declared = COMPOSE["secrets"]
    assert all(declared[name] == {"file": f"secrets/{name}"} for name in declared)
    for name, service in COMPOSE["services"].items():
        environment = service.get("environment", {})
        assert not [one for one in environment if one.removeprefix("NEWSLETTER_") in settings_table.SECRETS], name
        assert not re.search(r"PASSWORD(?!_FILE)", str(environment)), name
        read = {path.removeprefix("/run/secrets/") for path in environment.values() if "/run/secrets/" in path}
        assert read <= set(service.get("secrets", [])) <= declared.keys(), name
    told = {one.removeprefix("NEWSLETTER_").removesuffix("_FILE") for one in COMPOSE["services"]["web"]["environment"]}
    assert told >= settings_table.SECRETS
    assert "secrets" in (ROOT / ".gitignore").read_text() and "secrets" in (ROOT / ".dockerignore").read_text()
    assert COMPOSE["services"]["mail"]["profiles"] == ["mail"]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A checkout in which the secrets were made."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/make_secrets.sh", tmp_path / "scripts")
    return tmp_path


def make(directory: Path) -> dict[str, str]:
    subprocess.run(["scripts/make_secrets.sh"], cwd=directory, check=True, capture_output=True, umask=0o022)
    return {path.name: path.read_text() for path in (directory / "secrets").iterdir()}


def test_the_script_makes_each_secret_once_and_they_fit_together(made: Path) -> None:
    first = make(made)
    assert first.keys() == COMPOSE["secrets"].keys()
    assert make(made) == first
    assert stat.S_IMODE((made / "secrets").stat().st_mode) == 0o700
    environment = COMPOSE["services"]["web"]["environment"]
    paths = {name: value.replace("/run", str(made)) for name, value in environment.items() if name.endswith("_FILE")}
    values = config.read_environment(paths)
    read = config.read_config(values)
    assert read.mail.scheme == "outbox" and read.mail_2 is None and read.metrics_token
    assert set(read.address_keys) == {1} and values["SECRET_KEY"]
    assert first["redis_password"].strip() in read.broker_url
    assert settings.database(values["DATABASE_URL"], made)["PASSWORD"] == first["postgres_password"].strip()


def test_secrets_of_an_older_env_file_are_taken_over(made: Path) -> None:
    (made / ".env").write_text(
        "POSTGRES_PASSWORD=old-word\n# NEWSLETTER_SECRET_KEY=no\nNEWSLETTER_SECRET_KEY=a/b+c=\n"
        "NEWSLETTER_ADDRESS_KEYS=1:x=,index:y=\n"
        "NEWSLETTER_MAIL_URL=smtp://a:b@mail.example.org:587?connections=2&per_domain=1\nNEWSLETTER_MAIL_URL_2=\n"
    )
    found = {name: value.rstrip("\n") for name, value in make(made).items()}
    assert (found["secret_key"], found["address_keys"]) == ("a/b+c=", "1:x=,index:y=")
    assert found["mail_url"] == "smtp://a:b@mail.example.org:587?connections=2&per_domain=1"
    assert found["postgres_password"] == "old-word" and ":old-word@" in found["database_url"]


def test_redis_asks_for_the_password_and_keeps_what_it_holds(made: Path, redis_server: object) -> None:
    """The command and the health check of the file, run as a second Redis on this machine."""
    password = make(made)["redis_password"].strip()
    redis, port = COMPOSE["services"]["redis"], free_port()

    def here(text: str) -> str:
        text = re.sub("/(run|tmp)/", f"{made}/", text.replace("$$", "$"))
        return text.replace("--appendonly", f"--port {port} --bind 127.0.0.1 --dir {made} --appendonly")

    def ask(*words: str, **environment: str) -> str:
        done = subprocess.run(
            ["redis-cli", "-p", str(port), *words], env={**os.environ, **environment}, capture_output=True, text=True
        )
        return done.stdout

    server = subprocess.Popen([*redis["command"][:2], here(redis["command"][2])], stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port, server)
        assert "NOAUTH" in ask("ping")
        assert ask("ping", REDISCLI_AUTH=password) == "PONG\n"
        for name, value in (("appendonly", "yes"), ("maxmemory-policy", "noeviction")):
            assert ask("config", "get", name, REDISCLI_AUTH=password) == f"{name}\n{value}\n"
        check = here(redis["healthcheck"]["test"][1]).replace("redis-cli", f"redis-cli -p {port}")
        assert subprocess.run(["sh", "-c", check], check=False).returncode == 0
        assert password not in Path(f"/proc/{server.pid}/cmdline").read_text()
    finally:
        server.terminate()
        server.wait(timeout=20)
