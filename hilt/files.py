"""Files that hilt keeps for itself: whole or not at all, and a sentence where the disk says no.

What it writes for its users goes through `outputs`, which builds on this.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hilt.errors import OutputError
from hilt.reading.values import encodable

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, which becomes `path` when the block ends without an error.

    The one who writes must be alone in that, for the path is always the same: so a later try
    clears what a kill left. What is seen at `path` afterwards outlives a loss of power.

    Raises:
        OutputError: If the disk does not take it; then nothing is left of it.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        with sentences(path, "correct that, and run the same command again"):
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - anything that JSON can hold
    """Write JSON so that the file is never seen half-written.

    Raises:
        OutputError: If the disk does not take it.
    """
    text = json_text(value)
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def json_text(value: Any) -> str:  # noqa: ANN401 - anything that JSON can hold
    """Write a value as hilt's JSON files have it.

    A name of a file that is not UTF-8 has halves of surrogate pairs, which only escapes can write.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False)
    return (text if encodable(text) else json.dumps(value, indent=1)) + "\n"


def let_umask_decide(folder: Path) -> None:
    """Give the files of a folder the permissions of new ones; some libraries write private files.

    Raises:
        OSError: If that cannot be done.
    """
    probe = folder / ".umask"
    probe.touch()
    mode = stat.S_IMODE(probe.stat().st_mode)
    probe.unlink()
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(mode)


def read_object(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None where there is no file, or one that holds something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


@contextmanager
def sentences(path: Path, way_on: str = "name another place") -> Iterator[None]:
    """Turn what the operating system says of a place into a sentence.

    Args:
        path: What is written.
        way_on: What to do, unless the disk is full.

    Raises:
        OutputError: If the operating system refuses something in the block.
    """
    with room_for(path):
        try:
            yield
        except OSError as error:
            if isinstance(error, OutputError) or _is_full(error):
                raise
            reason = error.strerror or error
            raise OutputError(f"{path} cannot be written: {reason}; {way_on}.") from None


@contextmanager
def room_for(path: Path) -> Iterator[None]:
    """Turn a disk that fills up while a place is written into a sentence, and nothing else.

    Raises:
        OutputError: If it does.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, OutputError) or not _is_full(error):
            raise
        reason = os.strerror(error.errno or errno.ENOSPC)
        raise OutputError(
            f"{path} cannot be written: {reason}; free space on its disk, and run the same"
            " command again."
        ) from None


def _is_full(error: OSError) -> bool:
    """Tell whether there is no room; whoever copies a folder has several errors in one."""
    several = str(error) if isinstance(error, shutil.Error) else ""
    return error.errno in FULL or any(os.strerror(number) in several for number in FULL)
