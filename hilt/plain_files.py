"""Files as users name them: what stands there, why it cannot be read, and how to write its path."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

MAX_PATH_LENGTH = 300  # characters of a path in a message
MAX_REASON_LENGTH = 300
_KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISSOCK: "a socket",
}
_REASONS = {
    errno.ELOOP: "its symbolic links form a circle",
    errno.EACCES: "permission denied",
    errno.ENAMETOOLONG: "the name is too long",
}


def kind_of_file(mode: int) -> str:
    """Say what stands at a path that is no plain file; nothing where it is one."""
    if stat.S_ISREG(mode):
        return ""
    return next((told for test, told in _KINDS.items() if test(mode)), "no file")


def is_folder(path: str) -> bool:
    """Tell whether a folder stands at a path; at a name that no file can have there is none."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def why_unreadable(error: Exception) -> str:
    """Say why a file cannot be read, without a full stop."""
    reason = str(error)
    if isinstance(error, OSError) and error.errno is not None:
        reason = _REASONS.get(error.errno, error.strerror or reason)
    return " ".join(reason.split())[:MAX_REASON_LENGTH].rstrip(".")


def shown(path: str) -> str:
    r"""Write a path for a message, on one line; of one that is very long, both ends.

    >>> shown("pool\n.csv")
    'pool\\n.csv'
    """
    if not path.isprintable():
        path = "".join(each if each.isprintable() else repr(each)[1:-1] for each in path)
    if len(path) <= MAX_PATH_LENGTH:
        return path
    half = MAX_PATH_LENGTH // 2
    return f"{path[:half]}...{path[-half:]} ({len(path):,} characters long)"
