"""The two keys of an installation: generated once into DATA_DIR/keys, mode 0600, if the environment has none."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from newsletter.config.validators import SettingsError, why
from newsletter.lib import crypto


def prepare_keys(values: dict[str, str], directory: Path) -> None:
    """Fill in both keys from `directory`/keys, which is created the first time; keys in the environment take precedence.

    Raises:
        SettingsError: the directory or file cannot be created or read, or others may read the file.
    """
    if values["SECRET_KEY"] and values["ADDRESS_KEYS"]:
        return
    path = directory / "keys"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write_keys(path, values)
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsError(f"{path} can be read by others: run 'chmod 600 {path}'")
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SettingsError(
            f"NEWSLETTER_DATA_DIR: cannot use {directory} ({why(error)}). Make it writable, or name another"
        ) from error
    for line in lines:
        name, _, value = line.partition("=")
        if name in ("SECRET_KEY", "ADDRESS_KEYS") and not values[name]:
            values[name] = value.strip()


def _write_keys(path: Path, values: Mapping[str, str]) -> None:
    secret, address_keys = crypto.new_keys()
    # checked again: if several processes start at once, the first creates the keys and then the database
    if (path.parent / "newsletter.sqlite3").exists() and not path.exists():
        raise SettingsError(
            f"{path} is missing, but there is a database beside it. Put the kept keys file back: "
            "without it no address can be read"
        )
    temporary = path.with_name(f".keys-{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("# Keep a copy of this file in a safe place. Without it no stored address can ever be read again.\n")
        file.write(f"SECRET_KEY={values['SECRET_KEY'] or secret}\n")
        file.write(f"ADDRESS_KEYS={values['ADDRESS_KEYS'] or address_keys}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # fails if another process was first: then its keys are used
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
