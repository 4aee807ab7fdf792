"""Read a file of queries, one a line, for `match --queries`."""

from dataclasses import dataclass

from newsletter.cli.output import fail, read_file
from newsletter.matching.topics.revisions import query_problem

#: Most bytes of a file.
CAP = 2_000_000
#: Most queries of a file: all of them, and what they meet, are in memory at once.
MOST = 5_000


@dataclass(frozen=True)
class QueryLine:
    """A query and the number of its line, from 1; `error` says why it cannot be used, None when it can."""

    number: int
    query: str
    error: str | None


def read(file: str) -> list[QueryLine]:
    """The lines of a file that are not empty; `-` is standard input.

    Raises:
        CommandFailed: the file cannot be read, is too large, or holds no query.
    """
    data = read_file(file, CAP)
    if len(data) > CAP:
        fail(f"{file} is larger than {CAP:,} bytes: make it several files")
    rows = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    lines = [_line(number, row) for number, row in enumerate(rows, 1) if row.strip()]
    if not lines:
        fail(f"{file} holds no query: write one a line")
    if len(lines) > MOST:
        fail(f"{file} holds {len(lines):,} queries: {MOST:,} is the most for one file")
    return lines


def _line(number: int, row: bytes) -> QueryLine:
    try:
        query = row.decode().strip()
    except UnicodeDecodeError:
        return QueryLine(number, row.decode(errors="replace").strip(), "it is not UTF-8: save the file as UTF-8")
    refused = query_problem(query)
    return QueryLine(number, query, refused.reason if refused else None)
