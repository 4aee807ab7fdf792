"""The peers: queries in, a function out that takes a text and gives the numbers of the queries it meets."""

import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.peers.by_hand import BLANK_LINE, Query, matcher

Matcher = Callable[[str], set[int]]


def pyahocorasick(queries: list[Query]) -> Matcher:
    """The usual automaton from Python, one entry per string."""
    import ahocorasick

    def make(needles: list[str]) -> Callable[[str], Iterable[int]]:
        automaton = ahocorasick.Automaton()
        for number, one in enumerate(needles):
            automaton.add_word(one, number)
        automaton.make_automaton()
        return lambda haystack: (number for _, number in automaton.iter(haystack))

    return matcher(queries, make)


def alternation(queries: list[Query]) -> Matcher:
    """One `re` pattern of all strings. It loses those that overlap another."""

    def make(needles: list[str]) -> Callable[[str], Iterable[int]]:
        numbers = {one.strip(): number for number, one in enumerate(needles)}
        pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(numbers, key=len, reverse=True))) + r")\b")
        return lambda haystack: (numbers[found] for found in pattern.findall(haystack))

    return matcher(queries, make)


def hyperscan(queries: list[Query]) -> Matcher:
    """Hyperscan with literal strings."""
    import hyperscan as engine

    def make(needles: list[str]) -> Callable[[str], Iterable[int]]:
        database = engine.Database(mode=engine.HS_MODE_BLOCK)
        database.compile(
            expressions=[one.encode() for one in needles],
            ids=list(range(len(needles))),
            elements=len(needles),
            flags=[0] * len(needles),
            literal=True,
        )

        def find(haystack: str) -> Iterable[int]:
            found: list[int] = []
            database.scan(haystack.encode(), match_event_handler=lambda number, *_: found.append(number))
            return found

        return find

    return matcher(queries, make)


def tsquery(queries: list[Query]) -> Matcher:
    """PostgreSQL: queries stored as `tsquery`, each text asked against all of them."""
    import psycopg

    from tests.services import Postgres

    server = Postgres()
    server.start()
    maker = psycopg.connect(server.new_database(), autocommit=True)
    maker.execute("CREATE DATABASE bench TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")
    connection = psycopg.connect(maker.info.dsn, dbname="bench", autocommit=True)
    connection.execute("SET jit = off; SET max_parallel_workers_per_gather = 0")
    connection.execute("CREATE TABLE query (id integer, asked tsquery)")
    with connection.cursor().copy("COPY query FROM STDIN") as copy:
        for number, query in enumerate(queries):
            copy.write_row((number, _as_tsquery(query)))
    connection.execute("ANALYZE query")

    def match(text: str) -> set[int]:
        rows = connection.execute(
            "SELECT id FROM query, (SELECT to_tsvector('simple', %s) AS words) AS post WHERE words @@ asked",
            (text.replace(BLANK_LINE, " 0 "),),  # no phrase reaches from one paragraph into the next
        )
        return {row[0] for row in rows}

    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    match.cpu = lambda: _cpu(pid)  # type: ignore[attr-defined]
    match.close = server.stop  # type: ignore[attr-defined]
    return match


def _cpu(pid: int) -> float:
    """Seconds that a process has worked."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _as_tsquery(query: Query) -> str:
    match query:
        case ("word", word):
            return f"'{word}'"
        case ("phrase", *some):
            return "(" + " <-> ".join(f"'{word}'" for word in some) + ")"
        case ("not", part):
            return f"!{_as_tsquery(part)}"
        case (kind, *parts):
            return "(" + (" | " if kind == "or" else " & ").join(map(_as_tsquery, parts)) + ")"
    raise AssertionError(query)


ENGINES: dict[str, Callable[[list[Query]], Any]] = {
    one.__name__: one for one in (pyahocorasick, alternation, hyperscan, tsquery)
}
