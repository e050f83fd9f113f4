"""The manifest of a folder that hilt wrote: which files it left there, and whether they changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hilt.files import write_json
from hilt.output_places import looks_like_workspace

MANIFEST = "manifest.json"
LOCKS = (".lock", ".lock-holder")  # these change whenever a command looks
# A release of a hilt that wrote no manifest yet holds these, and nothing else.
OLD_RELEASE = {"README.md", "dataset.csv", "dataset.parquet", "labels.json", "student"}


def begin_manifest(folder: Path, kind: str) -> None:
    """Write down that hilt is about to fill a folder."""
    _write(folder, kind, None)


def write_manifest(folder: Path, kind: str) -> None:
    """Write down which files hilt left in a folder, with their SHA-256."""
    _write(folder, kind, _contents(folder))


def _write(folder: Path, kind: str, files: Mapping[str, str] | None) -> None:
    write_json(folder / MANIFEST, {"format": 1, "kind": kind, "files": files})


def is_ours(path: Path, manifest: Mapping[str, Any] | None) -> bool:
    """Tell whether hilt wrote a folder, by its manifest, or as one that needed none yet."""
    if manifest is not None:
        return {"format", "kind", "files"} <= set(manifest)
    names = {each.name for each in path.iterdir()}
    return {"dataset.csv", "labels.json"} <= names <= OLD_RELEASE


def change_of(path: Path, kind: str, manifest: Mapping[str, Any] | None) -> str | None:
    """Say how a folder differs from its manifest, or in kind; None where it does not."""
    if manifest is None:
        return "was written by an older hilt that kept no list of its files"
    if manifest["kind"] != kind:
        return f"holds something else that hilt wrote ({manifest['kind']})"
    written, found = manifest["files"], _contents(path)
    if not isinstance(written, dict):
        return f"holds an unfinished {manifest['kind']}"
    changed = sorted({*written.items()} ^ {*found.items()})
    return f"was changed since hilt wrote it ({changed[0][0]})" if changed else None


def _contents(folder: Path) -> dict[str, str]:
    """Say what every path in a folder is: the hash of a file, where a link leads, ...

    Folders are named only where they are empty. The lock of a workspace is left out, for it
    changes whenever a command looks.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        lock = path.name in LOCKS and looks_like_workspace(path.parent)
        if not lock and path != folder / MANIFEST:
            content = _content(path)
            if content is not None:
                found[path.relative_to(folder).as_posix()] = content
    return found


def _content(path: Path) -> str | None:
    if path.is_symlink():
        return f"a link to {path.readlink()}"
    if path.is_dir():
        return None if any(path.iterdir()) else "an empty folder"
    return sha256_of(path) if path.is_file() else "a pipe or a device"


def sha256_of(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
