"""The one owner of output paths: where hilt writes for its users, and what it may replace.

A file or a folder is written under an unguessable name beside its place (`temporaries.py`), and
renamed when it is whole. What stands at that place is replaced only when hilt wrote it and nobody
changed it since: a folder has a manifest in it, a single file is remembered in a ledger. `force`
moves what stands there to NAME.bak-1 (-2, ...). Everything is checked before the work begins, and
again at its end.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hilt.errors import OutputError
from hilt.files import json_text, let_umask_decide, read_object, room_for, sentences
from hilt.output_manifest import (
    MANIFEST,
    begin_manifest,
    change_of,
    is_ours,
    sha256_of,
    write_manifest,
)
from hilt.output_places import (
    check_folder_place,
    check_kind,
    check_outside_workspaces,
    make_parents,
    remove_empty,
    resolved,
    workspace_below,
)
from hilt.temporaries import temporary_beside, temporary_name

LEDGER = "outputs.json"

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
        return self._read().get(_key(file)) == sha256_of(file)

    def has(self, file: Path) -> bool:
        """Tell whether hilt ever wrote a file at this place."""
        return _key(file) in self._read()

    def remember(self, file: Path, content: Path) -> None:
        """Note that `file` is about to hold what `content` holds.

        Where this cannot be noted, as in a read-only workspace, hilt will not replace the file.
        """
        entries = self._read() | {_key(file): sha256_of(content)}
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
        begin_manifest(path, kind)
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
        note(f"What was at {path} is now at {backup}.")


def backup_of(path: Path) -> Path:
    """Name the place to which `move_aside` would move."""
    number = 1
    while os.path.lexists(backup := path.with_name(f"{path.name}.bak-{number}")):
        number += 1
    return backup


NOT_OURS = "exists already, and hilt did not write it, or it was changed since"


def _unknown(ledger: Ledger | None, path: Path) -> str | None:
    if ledger is None:
        return "exists already"
    return None if ledger.knows(path) else NOT_OURS


def _check_file(
    path: Path, force: bool, inputs: Iterable[Path], own: Path | None, keep: Keep
) -> None:
    """Refuse a place where no file may go, or one that is taken."""
    check_kind(path, "file")
    if own is None or resolved(path) != resolved(own):
        check_outside_workspaces(path, "file")
    if not path.exists():
        return
    if any(each.exists() and path.samefile(each) for each in inputs):
        raise OutputError(f"This command reads {path}; name another file to write to.")
    if not force:
        _refuse_taken(path, "file", keep(path))


def _check_folder(
    path: Path, kind: str, force: bool, inputs: Iterable[Path] = (), *, may_hold: bool = False
) -> None:
    """Refuse a place where no folder may go, or one that is taken."""
    check_folder_place(path)
    if not path.exists():
        return
    read = next((each for each in inputs if resolved(each).is_relative_to(resolved(path))), None)
    if read is not None:
        raise OutputError(f"{path} holds {read}, which this command reads; name another folder.")
    searched = not may_hold and (path / MANIFEST).exists()  # one without is refused unsearched
    held = workspace_below(path) if searched else None
    if held is not None:
        raise OutputError(
            f"{path} holds the workspace {held} with all its decisions; name a new folder."
        )
    if resolved(path) == Path.cwd() or path.is_mount():
        raise OutputError(
            f"{path} is the current folder or the root of a disk; name a new folder in it."
        )
    if not any(path.iterdir()):
        return
    _check_filled(path, kind, force)


def _check_filled(path: Path, kind: str, force: bool) -> None:
    manifest = read_object(path / MANIFEST)
    if not is_ours(path, manifest):
        raise OutputError(
            f"{path} is not empty, and hilt did not write its content; name a new folder."
        )
    if not force:
        _refuse_taken(path, "folder", change_of(path, kind, manifest))


def _refuse_taken(path: Path, wanted: str, reason: str | None) -> None:
    """Refuse a place for a reason, if there is one, that `force` would set aside."""
    if reason is not None:
        raise OutputError(
            f"{path} {reason}. Name another {wanted}, or add --force, which moves it to"
            f" {backup_of(path).name}."
        )


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


def _key(path: Path) -> str:
    return str(resolved(path))
