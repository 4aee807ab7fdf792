"""A real name server on a free UDP port of this machine, with the records that a test gives it.

    with DnsServer({("example.org", "TXT"): ['"v=spf1 -all"']}) as server:
        Lookup(server.address)

A name without records does not exist. Names in `broken` answer SERVFAIL, those in `silent` never answer.
"""

import socketserver
import threading
from collections.abc import Collection, Mapping, Sequence
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Zone = Mapping[tuple[str, str], Sequence[str]]


class _Question(socketserver.BaseRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        data, socket = self.request
        query = dns.message.from_wire(data)
        (question,) = query.question
        name = question.name.to_text(omit_final_dot=True).lower()
        self.server.asked.append((name, dns.rdatatype.to_text(question.rdtype)))
        if name in self.server.silent:
            return
        socket.sendto(self._answer(query, name, question.rdtype).to_wire(), self.client_address)

    def _answer(self, query: dns.message.Message, name: str, kind: int) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        zone = self.server.zone
        if name in self.server.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif records := zone.get((name, dns.rdatatype.to_text(kind))):
            answer.answer.append(dns.rrset.from_text_list(f"{name}.", 60, "IN", kind, list(records)))
        elif not any(known == name for known, _ in zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


class _Server(socketserver.ThreadingUDPServer):
    daemon_threads = True

    def __init__(self, zone: Zone, broken: Collection[str], silent: Collection[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Question)
        self.zone, self.broken, self.silent = zone, broken, silent
        self.asked: list[tuple[str, str]] = []


class DnsServer:
    """The server; `address` is where it listens, `asked` the questions it got."""

    def __init__(self, zone: Zone, *, broken: Collection[str] = (), silent: Collection[str] = ()) -> None:
        self._server = _Server(zone, broken, silent)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    @property
    def asked(self) -> list[tuple[str, str]]:
        return self._server.asked

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._server.shutdown()
        self._server.server_close()
