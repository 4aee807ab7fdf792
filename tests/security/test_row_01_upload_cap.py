"""Threat 1: what is larger than a form of ours is refused before anything of it is stored."""

import contextlib
import socket
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.security.service import Answer, Service, read_all

MEGABYTES_300 = 300_000_000
CAP = 65_536


def head(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()


@pytest.mark.parametrize(
    "path", ["/", "/preferences", "/one-click/x", "/healthz", "/hooks/sendgrid", "/nothing", "*", "//"]
)
@pytest.mark.parametrize("expect", [(), ("Expect: 100-continue",)], ids=["", "expect"])
def test_a_large_body_is_refused_at_its_headers(service: Service, path: str, expect: tuple[str, ...]) -> None:
    for length in (CAP + 1, MEGABYTES_300, 10**18):
        with service.connect() as connection:
            connection.sendall(head(path, f"Content-Length: {length}", *expect))
            connection.shutdown(socket.SHUT_WR)
            told = read_all(connection)
        assert Answer(told).status == 413
        assert b"100 Continue" not in told


def test_the_page_that_imports_feeds_takes_a_file_of_a_megabyte_and_no_more(service: Service) -> None:
    """It asks whoever is not signed in to sign in, without looking at what was sent."""
    for length, status in ((CAP + 1, b"302"), (1_010_001, b"413")):
        with service.connect() as connection:
            connection.sendall(head("/desk/feeds/import/", f"Content-Length: {length}") + b"x" * (CAP + 1))
            connection.shutdown(socket.SHUT_WR)
            assert read_all(connection).split(b" ", 2)[1] == status
    assert service.spooled() == []


def test_a_body_that_names_no_length_is_refused_at_the_same_size(service: Service) -> None:
    before = service.memory()
    with service.connect() as connection:
        connection.sendall(head("/", "Transfer-Encoding: chunked") + f"{MEGABYTES_300:x}\r\n".encode())
        sent = 0
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < 20_000_000:
                sent += connection.send(b"x" * CAP)
        assert service.spooled() == []
        assert Answer(read_all(connection)).status == 413
    assert service.memory() - before < 8_000_000


def test_bodies_that_are_allowed_wait_in_memory_and_not_on_disk(service: Service) -> None:
    """200 connections that each hold back the last byte of the largest body that is taken."""
    before = service.memory()
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(service.connect()) for _ in range(200)]
        for connection in connections:
            connection.sendall(head("/", f"Content-Length: {CAP}") + b"x" * (CAP - 1))
        assert service.ask("/healthz").status == 200
        assert service.spooled() == []
        assert service.memory() - before < 200 * CAP * 3
        connections[0].sendall(b"x")
        assert connections[0].recv(12) == b"HTTP/1.1 403", "taken, and sent by none of our pages"


def test_under_another_server_too_a_file_in_a_form_is_not_stored(client: Client, db, settings, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "none")
    told = client.post("/", {"file": SimpleUploadedFile("x", b"x" * 5_000_000), "address": "nobody"})
    assert told.status_code == 422
    assert not told.wsgi_request.FILES


@pytest.mark.parametrize(
    "length",
    ["-1", "+5", "0x10", "1,1", "5, 6", "1 1", "", "\u00b2", "9" * 5000, "1\r\nContent-Length: 2"],
    ids=lambda text: repr(text)[:20],
)
def test_a_length_that_is_no_number_is_refused(service: Service, length: str) -> None:
    with service.connect() as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\nx".encode("latin-1"))
        assert Answer(read_all(connection)).status == 400


def test_endless_headers_are_refused(service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"x" * 17_000)
        assert Answer(read_all(connection)).status == 431


def test_a_client_that_sends_first_and_reads_afterwards_learns_why(service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(head("/", "Content-Length: 5000000") + b"x" * 5_000_000)
        assert Answer(read_all(connection)).status == 413
