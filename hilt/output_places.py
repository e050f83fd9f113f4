"""Where something may be written: not over what is no file or folder, and not into a workspace."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from hilt.errors import OutputError
from hilt.plain_files import shown

WORKSPACE_MARKS = ("hilt.yaml", "pool/pool.json")


def check_folder_place(path: Path) -> None:
    """Refuse a place where no folder may go: a file, a link, a workspace.

    Raises:
        OutputError: If it is one.
    """
    check_kind(path, "folder")
    check_outside_workspaces(path)


def check_kind(path: Path, wanted: str) -> None:
    """Refuse a link, a device, a pipe, and a file where a folder belongs."""
    if path.is_symlink():
        raise OutputError(
            f"{path} is a symbolic link; name the {wanted} that it points to:"
            f" {os.path.realpath(path)}."
        )
    if path.is_dir():
        if wanted == "file":
            raise OutputError(f"{path} is a folder; name a file, such as {path / 'out'}.")
    elif path.exists():
        if not path.is_file():
            raise OutputError(f"{path} is a device or a pipe, not a {wanted}; name a new {wanted}.")
        if wanted == "folder":
            raise OutputError(f"{path} is a file; name a new folder.")


def check_outside_workspaces(path: Path, wanted: str = "folder") -> None:
    """Refuse a place that is a workspace or lies in one.

    Raises:
        OutputError: If it does.
    """
    holder = _workspace_around(path)
    if holder is not None:
        raise OutputError(
            f"{path} is in the workspace {holder}, where hilt keeps its own files; name a"
            f" {wanted} elsewhere."
        )


def _workspace_around(path: Path) -> Path | None:
    """Find the workspace in which a path lies, or that it is."""
    place = resolved(path)
    return next((each for each in (place, *place.parents) if looks_like_workspace(each)), None)


def workspace_below(folder: Path) -> Path | None:
    """Find a workspace in a folder."""
    return next(
        (Path(root) for root, _, _ in os.walk(folder) if looks_like_workspace(Path(root))), None
    )


def looks_like_workspace(folder: Path) -> bool:
    """Tell whether a folder holds what every workspace has."""
    return all((folder / mark).is_file() for mark in WORKSPACE_MARKS)


def make_parents(folder: Path) -> list[Path]:
    """Make a folder and those above it, and list what was made, the innermost first."""
    above = (folder, *folder.parents)
    nearest = next(each for each in above if each.exists())
    if not nearest.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{nearest} is a file")
    folder.mkdir(parents=True, exist_ok=True)
    return list(above[: above.index(nearest)])


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove what `make_parents` made, as far as nothing lies in it."""
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def resolved(path: Path) -> Path:
    """Follow every link of a path.

    Raises:
        OutputError: If there is a NUL in it.
    """
    try:
        return Path(os.path.realpath(path))
    except ValueError:
        raise OutputError(
            f"{shown(str(path))} contains a NUL character, which no path may."
        ) from None
