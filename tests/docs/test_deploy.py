"""docs/deploy.md gives the limits that the server has, and its examples are read by their programs where these are there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from newsletter.cli.service import http_server
from newsletter.providers.sendgrid.webhook import LARGEST

PAGE = (Path(__file__).parents[2] / "docs/deploy.md").read_text()


def example(kind: str) -> str:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)[0]


def test_the_limits_are_those_of_the_server() -> None:
    said = " ".join(PAGE.split())
    assert f"{http_server.LARGEST_BODY // 1024} KiB; {LARGEST // 1_000_000} MB at `/hooks/sendgrid`" in said
    assert f"for {http_server.MOST_LARGE_BODIES} at a time" in said
    assert f"{http_server.LARGEST_HEADERS // 1024} KiB | 8 to 16 KiB" in said
    assert f"headers within {http_server.HEADERS} s, all of the request within {http_server.REQUEST} s" in said
    assert f"taken within {http_server.ANSWER} s" in said
    assert f"{http_server.HEADERS} s before the first request, {http_server.KEPT} s after an answer," in said
    assert f"| {http_server.MOST_CONNECTIONS}; one more ends" in said


def test_the_proxies_let_through_what_the_service_takes() -> None:
    units = {"k": 1024, "m": 1024**2, "KiB": 1024, "MB": 1_000_000}
    for kind, pattern in (("nginx", r"client_max_body_size (\d+)(k|m);"), ("caddyfile", r"\bmax_size (\d+)(KiB|MB)")):
        small, large = sorted(int(number) * units[unit] for number, unit in re.findall(pattern, example(kind)))
        assert small == http_server.LARGEST_BODY
        assert LARGEST <= large < 1.1 * LARGEST
        assert "/metrics" in example(kind) and "404" in example(kind)


def test_nginx_reads_its_example(tmp_path: Path) -> None:
    if shutil.which("nginx") is None or shutil.which("openssl") is None:
        pytest.skip("nginx or openssl is not installed")
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=x",
        "-keyout",
        key,
        "-out",
        certificate,
    ]
    subprocess.run(made, check=True, capture_output=True)
    server = example("nginx").replace("/etc/letsencrypt/live/news.example.org", str(tmp_path))
    server = server.replace("/var/log/nginx", str(tmp_path))
    temporary = "".join(
        f"{name}_temp_path {tmp_path};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid; events {{}} http {{ {temporary} {server} }}")
    done = subprocess.run(["nginx", "-t", "-c", whole, "-e", tmp_path / "log"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_caddy_reads_its_example(tmp_path: Path) -> None:
    if shutil.which("caddy") is None:
        pytest.skip("caddy is not installed")
    (tmp_path / "Caddyfile").write_text(example("caddyfile"))
    done = subprocess.run(
        ["caddy", "adapt", "--config", tmp_path / "Caddyfile", "--adapter", "caddyfile"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
