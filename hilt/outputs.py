"""The one owner of output paths: where hilt writes for its users, and what it may replace.

A file or a folder is written under an unguessable name beside its place (`temporaries.py`), and
renamed when it is whole. What stands at that place is replaced only when hilt wrote it and nobody
changed it since: a folder has a manifest in it, a single file is remembered in a ledger. `force`
moves what stands there to NAME.bak-1 (-2, ...). Everything is checked before the work begins, and
again at its end.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hilt.errors import OutputError
from hilt.files import json_text, let_umask_decide, read_object, room_for, sentences, write_json
from hilt.plain_files import shown
from hilt.temporaries import temporary_beside, temporary_name

MANIFEST = "manifest.json"
LEDGER = "outputs.json"
LOCKS = (".lock", ".lock-holder")  # these change whenever a command looks
WORKSPACE_MARKS = ("hilt.yaml", "pool/pool.json")
# A release of a hilt that wrote no manifest yet holds these, and nothing else.
OLD_RELEASE = {"README.md", "dataset.csv", "dataset.parquet", "labels.json", "student"}

Note = Callable[[str], None]
Keep = Callable[[Path], str | None]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The single files that hilt wrote for a workspace, by absolute path and SHA-256.

    Attributes:
        path: The JSON in which they stand.
    """

    path: Path

    def knows(self, file: Path) -> bool:
        """Tell whether hilt wrote a file as it is now."""
        return self._read().get(_key(file)) == _sha256(file)

    def has(self, file: Path) -> bool:
        """Tell whether hilt ever wrote a file at this place."""
        return _key(file) in self._read()

    def remember(self, file: Path, content: Path) -> None:
        """Note that `file` is about to hold what `content` holds.

        Where this cannot be noted, as in a read-only workspace, hilt will not replace the file.
        """
        entries = self._read() | {_key(file): _sha256(content)}
        temporary = self.path.with_name(temporary_name())
        with suppress(OSError):
            temporary.write_text(json_text(entries), encoding="utf-8")
            temporary.replace(self.path)

    def _read(self) -> dict[str, Any]:
        return read_object(self.path) or {}


@contextmanager
def output_file(
    path: Path,
    *,
    force: bool = False,
    ledger: Ledger | None = None,
    inputs: Iterable[Path] = (),
    own: Path | None = None,
    keep: Keep | None = None,
    note: Note = lambda text: None,
) -> Iterator[Path]:
    """Give a path to write to, which becomes `path` when the block ends without an error.

    Args:
        path: Where the file shall be; its folder is made where it is missing.
        force: Move aside what stands there.
        ledger: Which files hilt wrote before; without it, none.
        inputs: Files that the work reads, or that the user needs.
        own: The one file inside of a workspace that may be written.
        keep: Says in a clause why the file that stands there must stay, None where it may be
            replaced; by default it stays unless the ledger knows it.
        note: Told what was moved where.

    Raises:
        OutputError: If the place is taken or cannot be written to; before the block runs.
    """
    keep = keep or partial(_unknown, ledger)
    with ExitStack() as held:
        with sentences(path):
            _check_file(path, force, inputs, own, keep)
            made = make_parents(path.parent)
            temporary = held.enter_context(temporary_beside(path))
        try:
            with room_for(path):
                yield temporary
            with sentences(path):
                _check_file(path, force, inputs, own, keep)  # again: the work may take hours
                if force:
                    move_aside(path, note)
                if ledger is not None:
                    ledger.remember(path, temporary)
                temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            remove_empty(made)
            raise


@contextmanager
def output_folder(
    path: Path,
    kind: str,
    *,
    force: bool = False,
    inputs: Iterable[Path] = (),
    note: Note = lambda text: None,
) -> Iterator[Path]:
    """Give a folder to fill, which becomes `path`, with a manifest, when the block ends.

    Args:
        path: Where the folder shall be; new, empty, or one that hilt wrote and nobody changed.
        kind: What it holds, for the manifest; a folder of another kind is not replaced.
        force: Move aside a folder that hilt wrote and somebody changed.
        inputs: Folders that the work reads.
        note: Told what was moved where.

    Raises:
        OutputError: If the place is taken or cannot be written to; before the block runs.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - `.` gets a name, a link is not followed
    with ExitStack() as held:
        with sentences(path):
            _check_folder(path, kind, force, inputs)
            made = make_parents(path.parent)
            temporary = held.enter_context(temporary_beside(path, folder=True))
        try:
            with room_for(path):
                yield temporary
            with sentences(path):
                let_umask_decide(temporary)
                write_manifest(temporary, kind)
                _check_folder(path, kind, force, inputs)
                with _gone(path, force, note):
                    temporary.rename(path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            remove_empty(made)
            raise


@contextmanager
def folder_in_place(
    path: Path, kind: str, *, force: bool = False, note: Note = lambda text: None
) -> Iterator[None]:
    """Make a folder that is worked in where it stands; its manifest is whole at the end.

    Args, errors: As for `output_folder`.
    """
    with sentences(path):
        _check_folder(path, kind, force, may_hold=True)
        make_parents(path.parent)
        with _gone(path, force, note):
            path.mkdir()
        _write_manifest(path, kind, None)
    try:
        with room_for(path):
            yield
    finally:  # a run that was stopped leaves nothing of anybody else's either
        write_manifest(path, kind)


def move_aside(path: Path, note: Note) -> None:
    """Rename what stands at `path` to the first of NAME.bak-1, NAME.bak-2, ... that is free."""
    if os.path.lexists(path):
        backup = backup_of(path)
        path.rename(backup)
        note(f"What stood at {path} is now at {backup}.")


def backup_of(path: Path) -> Path:
    """Name the place to which `move_aside` would move."""
    number = 1
    while os.path.lexists(backup := path.with_name(f"{path.name}.bak-{number}")):
        number += 1
    return backup


def write_manifest(folder: Path, kind: str) -> None:
    """Write down which files hilt left in a folder, with their SHA-256."""
    _write_manifest(folder, kind, _contents(folder))


def _write_manifest(folder: Path, kind: str, files: Mapping[str, str] | None) -> None:
    write_json(folder / MANIFEST, {"format": 1, "kind": kind, "files": files})


NOT_OURS = "exists already, and hilt did not write it, or it was changed since"


def _unknown(ledger: Ledger | None, path: Path) -> str | None:
    if ledger is None:
        return "exists already"
    return None if ledger.knows(path) else NOT_OURS


def _check_file(
    path: Path, force: bool, inputs: Iterable[Path], own: Path | None, keep: Keep
) -> None:
    """Refuse a place where no file may go, or one that is taken."""
    _check_kind(path, "file")
    if own is None or _resolved(path) != _resolved(own):
        check_outside_workspaces(path, "file")
    if not path.exists():
        return
    if any(each.exists() and path.samefile(each) for each in inputs):
        raise OutputError(f"{path} is read by this command; name another file to write to.")
    if not force:
        _refuse_taken(path, "file", keep(path))


def check_folder_place(path: Path) -> None:
    """Refuse a place where no folder may go: a file, a link, a workspace.

    Raises:
        OutputError: If it is one.
    """
    _check_kind(path, "folder")
    check_outside_workspaces(path)


def check_outside_workspaces(path: Path, wanted: str = "folder") -> None:
    """Refuse a place that is a workspace or lies in one.

    Raises:
        OutputError: If it does.
    """
    holder = _workspace_around(path)
    if holder is not None:
        raise OutputError(
            f"{path} lies in the workspace {holder}, where hilt keeps its own files; name a"
            f" {wanted} elsewhere."
        )


def _check_folder(
    path: Path, kind: str, force: bool, inputs: Iterable[Path] = (), *, may_hold: bool = False
) -> None:
    """Refuse a place where no folder may go, or one that is taken."""
    check_folder_place(path)
    if not path.exists():
        return
    read = next((each for each in inputs if _resolved(each).is_relative_to(_resolved(path))), None)
    if read is not None:
        raise OutputError(f"{path} holds {read}, which this command reads; name another folder.")
    held = None if may_hold else _workspace_below(path)
    if held is not None:
        raise OutputError(
            f"{path} holds the workspace {held} with all its decisions; name a new folder."
        )
    if _resolved(path) == Path.cwd() or path.is_mount():
        raise OutputError(
            f"{path} is the current folder or the root of a disk; name a new folder in it."
        )
    if not any(path.iterdir()):
        return
    _check_filled(path, kind, force)


def _check_filled(path: Path, kind: str, force: bool) -> None:
    manifest = read_object(path / MANIFEST)
    if not _is_ours(path, manifest):
        raise OutputError(
            f"{path} is not empty, and hilt did not write what is in it; name a new folder."
        )
    if not force:
        _refuse_taken(path, "folder", _change(path, kind, manifest))


def _refuse_taken(path: Path, wanted: str, reason: str | None) -> None:
    """Refuse a place for a reason, if there is one, that `force` would set aside."""
    if reason is not None:
        raise OutputError(
            f"{path} {reason}. Name another {wanted}, or add --force, which moves it to"
            f" {backup_of(path).name}."
        )


def _is_ours(path: Path, manifest: Mapping[str, Any] | None) -> bool:
    if manifest is not None:
        return {"format", "kind", "files"} <= set(manifest)
    names = {each.name for each in path.iterdir()}
    return {"dataset.csv", "labels.json"} <= names <= OLD_RELEASE


def _change(path: Path, kind: str, manifest: Mapping[str, Any] | None) -> str | None:
    """Say how a folder differs from its manifest, or in kind; None where it does not."""
    if manifest is None:
        return "was written by a hilt that did not note what it wrote"
    if manifest["kind"] != kind:
        return f"holds another thing that hilt wrote ({manifest['kind']})"
    written, found = manifest["files"], _contents(path)
    if not isinstance(written, dict):
        return f"holds an unfinished {manifest['kind']}"
    changed = sorted({*written.items()} ^ {*found.items()})
    return f"was changed since hilt wrote it ({changed[0][0]})" if changed else None


@contextmanager
def _gone(path: Path, force: bool, note: Note) -> Iterator[None]:
    """Take away what `_check_folder` has let pass; back it comes if the block fails."""
    if force and path.exists() and any(path.iterdir()):
        move_aside(path, note)
    last = path.with_name(f"{temporary_name()}.old")  # no temporary: until then it is the user's
    if path.exists():
        path.rename(last)
    try:
        yield
    except OSError:
        if last.exists():
            last.rename(path)
        raise
    shutil.rmtree(last, ignore_errors=True)


def _check_kind(path: Path, wanted: str) -> None:
    """Refuse a link, a device, a pipe, and a file where a folder belongs."""
    if path.is_symlink():
        raise OutputError(
            f"{path} is a symbolic link; name the {wanted} that it leads to:"
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


def _workspace_around(path: Path) -> Path | None:
    """Find the workspace in which a path lies, or that it is."""
    place = _resolved(path)
    return next((each for each in (place, *place.parents) if _is_workspace(each)), None)


def _workspace_below(folder: Path) -> Path | None:
    """Find a workspace in a folder; one without a manifest is refused without a search."""
    if not (folder / MANIFEST).exists():
        return None
    return next((Path(root) for root, _, _ in os.walk(folder) if _is_workspace(Path(root))), None)


def _is_workspace(folder: Path) -> bool:
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


def _contents(folder: Path) -> dict[str, str]:
    """Say what every path in a folder is: the hash of a file, where a link leads, ...

    Folders are named only where they are empty. The lock of a workspace is left out, for it
    changes whenever a command looks.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        lock = path.name in LOCKS and _is_workspace(path.parent)
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
    return _sha256(path) if path.is_file() else "a pipe or a device"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key(path: Path) -> str:
    return str(_resolved(path))


def _resolved(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path))
    except ValueError:
        raise OutputError(f"{shown(str(path))} has a NUL in it, as no path may.") from None
