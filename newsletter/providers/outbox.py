"""Mail as files in a directory: for trying things out, and for carriers of one's own that read it."""

import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from newsletter.lib import mail_headers
from newsletter.lib.clock import utcnow
from newsletter.lib.provider_interface import Accepted, Deferred, Outcome, Parcel, Rejected
from newsletter.providers.prepared_messages import PreparedLetters

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"\d{8}T\d{6}Z-([\w-]+)\.eml", re.ASCII)
_OPAQUE = re.compile(r"[\w-]{1,100}", re.ASCII)


class Outbox:
    """Writes `<UTC date and time>-<opaque>.eml`, mode 0600. Handed over twice, a parcel is still one file."""

    name: str = "outbox"
    number: int = 1
    window: int | None = 50
    one_letter: bool = False

    def __init__(
        self, directory: Path, sender: mail_headers.SenderIdentity, *, clock: Callable[[], datetime] = utcnow
    ) -> None:
        self._directory = directory
        self._sender = sender
        self._clock = clock

    def hand_over(self, parcels: Sequence[Parcel]) -> dict[int, Outcome]:
        """Write each mail. A file that is there under its name is whole, and on the disk."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            known = self._known({parcel.opaque for parcel in parcels})
        except OSError as error:
            return {parcel.delivery_id: _refusal(error) for parcel in parcels}
        letters = PreparedLetters(self._sender)
        return {parcel.delivery_id: self._one(parcel, letters, known) for parcel in parcels}

    def close(self) -> None:
        """Nothing is kept open."""

    def _known(self, opaque: set[str]) -> dict[str, str]:
        """Opaque word → the file name that it already has."""
        with os.scandir(self._directory) as entries:
            found = [match for entry in entries if (match := _NAME.fullmatch(entry.name))]
        return {match[1]: match[0] for match in found if match[1] in opaque}

    def _one(self, parcel: Parcel, letters: PreparedLetters, known: dict[str, str]) -> Outcome:
        now = self._clock()
        if not _OPAQUE.fullmatch(parcel.opaque):
            return Rejected("its opaque word cannot be part of a file name")
        name = known.get(parcel.opaque) or f"{now.strftime(_STAMP)}-{parcel.opaque}.eml"
        try:
            _write(self._directory / name, letters.message(parcel, now))
        except mail_headers.NotMailable as error:
            return Rejected(str(error))
        except OSError as error:
            return _refusal(error)
        return Accepted(name)


def _refusal(error: OSError) -> Deferred:
    return Deferred(f"the outbox cannot be written: {(error.strerror or type(error).__name__).lower()}")


def _write(path: Path, raw: bytes) -> None:
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
        os.fsync(directory)  # else a power cut may forget the name of a file whose bytes are safe
    finally:
        os.close(directory)
