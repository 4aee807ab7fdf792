"""Row 22: slow and idle connections to the running service: /healthz goes on answering."""

import contextlib

from tests.security.service import Service


def test_hundreds_of_slow_connections_do_not_keep_the_service_from_answering(service: Service) -> None:
    head = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    kinds = ("", head, head + "Content-Length: 60000\r\n\r\n", head + "Transfer-Encoding: chunked\r\n\r\n")
    with contextlib.ExitStack() as stack:
        slow = [(stack.enter_context(service.connect()), kinds[number % 4]) for number in range(600)]
        for connection, begun in slow:
            with contextlib.suppress(OSError):
                connection.sendall(begun.encode())
        for drip in range(5):
            for connection, begun in slow:
                with contextlib.suppress(OSError):
                    connection.sendall(
                        b"" if not begun else f"X-{drip}: a\r\n".encode() if begun == head else b"1\r\na\r\n"
                    )
            assert service.ask("/healthz").body == b"ok\n"
