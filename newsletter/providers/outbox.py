"""Write mail as files into a directory: to try things out, or for a mail system of one's own that reads them."""

import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from newsletter.lib.clock import utcnow
from newsletter.lib.mail import headers
from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Parcel, Rejected
from newsletter.providers.prepared_messages import PreparedLetters

#: How the time of writing (UTC) stands in the name of a file, and the whole name.
STAMP: Final = "%Y%m%dT%H%M%SZ"
NAME: Final = re.compile(r"(?P<written_at>\d{8}T\d{6}Z)-(?P<opaque>[\w-]{1,100})\.eml", re.ASCII)
_OPAQUE = re.compile(r"[\w-]{1,100}", re.ASCII)


class Outbox:
    """Writes `<UTC date and time>-<opaque>.eml`, mode 0600. A parcel that is handed over twice is still one file."""

    name: str = "outbox"
    number: int = 1
    window: int | None = 50
    one_letter: bool = False

    def __init__(
        self, directory: Path, sender: headers.SenderIdentity, *, clock: Callable[[], datetime] = utcnow
    ) -> None:
        self._directory = directory
        self._sender = sender
        self._clock = clock

    def hand_over(self, parcels: Sequence[Parcel]) -> dict[int, Outcome]:
        """Write each mail. A file with its final name is complete and on the disk."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            known = self._known({parcel.opaque for parcel in parcels})
        except OSError as error:
            return {parcel.delivery_id: _not_written(error) for parcel in parcels}
        letters = PreparedLetters(self._sender)
        return {parcel.delivery_id: self._write(parcel, letters, known) for parcel in parcels}

    def close(self) -> None:
        """Do nothing: nothing is kept open."""

    def _known(self, opaque: set[str]) -> dict[str, str]:
        """Return the names of files that exist already, by opaque value."""
        with os.scandir(self._directory) as entries:
            matches = [match for entry in entries if (match := NAME.fullmatch(entry.name))]
        return {match["opaque"]: match[0] for match in matches if match["opaque"] in opaque}

    def _write(self, parcel: Parcel, letters: PreparedLetters, known: dict[str, str]) -> Outcome:
        now = self._clock()
        if not _OPAQUE.fullmatch(parcel.opaque):
            return Rejected("its opaque word cannot be part of a file name")
        name = known.get(parcel.opaque) or f"{now.strftime(STAMP)}-{parcel.opaque}.eml"
        try:
            _write_file(self._directory / name, letters.message(parcel, now))
        except headers.NotMailable as error:
            return Rejected(str(error))
        except OSError as error:
            return _not_written(error)
        return Accepted(name)


def _not_written(error: OSError) -> Deferred:
    return Deferred(f"the outbox cannot be written: {(error.strerror or type(error).__name__).lower()}")


def _write_file(path: Path, raw: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # else a power cut may lose the name of a file whose content is on the disk
    finally:
        os.close(directory)
