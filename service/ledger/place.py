"""Where the embedded server lives on disk: a private directory, a lock on it, a socket path short enough.

Owns files and permissions. Starts nothing.
"""

import hashlib
import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from service.ledger import LedgerError

if sys.platform != "win32":
    import fcntl

#: A unix socket's path ends within 104 bytes on macOS, 108 on Linux.
LONGEST_PATH = 100


class InUseError(LedgerError):
    """Another service holds the directory."""


def lock(data_dir: Path) -> IO[str]:
    """Make the directory and hold it until the returned file is closed. Raises LedgerError, InUseError."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_private(socket_path(data_dir).parent, data_dir)
        file = (data_dir / "service.lock").open("a+")
    except OSError as error:
        raise LedgerError(f"{data_dir}: cannot keep data there: {error}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        if isinstance(error, BlockingIOError):
            raise InUseError(
                f"{data_dir}: in use by process {holder or '(unknown)'}; "
                "stop it, choose another data directory, or let both use one server by REDIS_URL"
            ) from None
        raise LedgerError(f"{data_dir}: cannot be locked: {error}") from error
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def socket_path(data_dir: Path) -> Path:
    """In the directory, or in a short private one made from its name when the path would be too long."""
    path = data_dir / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH:
        return path
    name = hashlib.blake2b(os.fsencode(data_dir), digest_size=8).hexdigest()
    return Path(tempfile.gettempdir()) / f"cascade-{name}" / "redis.sock"


def clear_socket(path: Path, data_dir: Path) -> None:
    """Remove what a killed server left; the short directory goes too."""
    path.unlink(missing_ok=True)
    if path.parent != data_dir:
        with suppress(OSError):
            path.parent.rmdir()


def _make_private(folder: Path, data_dir: Path) -> None:
    if folder == data_dir:
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise LedgerError(f"{folder}: must be a directory of ours that nobody else may enter")
