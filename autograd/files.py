"""Files that are replaced whole: after a crash at any moment there is the old one or the new one."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

__all__ = ["replace_file"]

#: What a killed process has left behind is removed by the first write that comes at least so many seconds later.
_STALE = 3600


def replace_file(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file and have it on the disk, whole or not at all."""
    path = Path(os.path.realpath(path))  # what a link points to is replaced, not the link
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: a file in it needs a name.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to write {path.name} into.")
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with open(partial, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        now = partial.stat().st_mtime  # the clock of the file system
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    # The file is in its place: what follows may fail, as on a file system that does not know it.
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    left = re.compile(re.escape(f".{path.name}.") + r"[0-9a-f]{16}\.part")
    with suppress(OSError):
        for other in path.parent.iterdir():
            if left.fullmatch(other.name) and other.stat().st_mtime < now - _STALE:
                other.unlink()
