"""`init`: the folder of a new workspace, built beside its place and moved there whole."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

import yaml

from hilt.command_line import command_line
from hilt.errors import WorkspaceError
from hilt.files import room_for, sentences, whole_file
from hilt.output_places import check_outside_workspaces, make_parents, remove_empty
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.reading import load_config, load_workspace_config
from hilt.pipeline.pools.building import build_pool
from hilt.pipeline.pools.mending import mend_pool
from hilt.pipeline.pools.pool import Pool, find_fault
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.lock import LOCK_NAMES, lock
from hilt.pipeline.workspace.workspace import Workspace, is_workspace, open_workspace
from hilt.progress import Progress, Silent
from hilt.reading.values import encodable

BUILD = re.compile(r"\.hilt-init-[0-9a-f]{16}")  # the name of the folder in which `init` builds
BUILT = {
    *("pool", "pool.partial", "test", "test.partial", "hilt.yaml", "hilt.yaml.tmp"),
    *(f"state.db{ending}" for ending in ("", "-wal", "-shm", "-journal")),
}

HEADER = (
    "# Written by `hilt init`. You may edit it between commands, except for `pool`, `test`"
    " and the names of\n# the labels: these were read once; for others, make a new workspace.\n"
)


def init(
    folder: Path | str,
    config: Path | str,
    *,
    device: str | None = None,
    progress: Progress | None = None,
) -> Workspace:
    """Make a workspace: read the pool, check it, and lay out the folder.

    Doing it again with the same configuration changes nothing, unless the pool is damaged: then it
    is read again, if its source still has the same items.

    Args:
        folder: The folder of the workspace; it must be new, empty, or the same workspace.
        config: The configuration.
        device: Where models run; default: the configuration.
        progress: Receives progress and notes.

    Raises:
        ConfigError: If the configuration cannot be used.
        DataError: If the pool, or the test set, cannot.
        WorkspaceError: If the folder holds something else.
    """
    folder = Path(folder)
    if not encodable(str(folder.absolute())):
        raise WorkspaceError(
            f"The path {str(folder.absolute())!r} is not UTF-8, which the path of a workspace must"
            " be; choose another folder."
        )
    settings = load_config(config)
    _check_free(folder, settings)
    if not is_workspace(folder):
        check_outside_workspaces(folder)
    with sentences(folder):
        made = make_parents(folder)
    with lock(folder):
        try:
            _check_free(folder, settings)  # again: another `init` may have ended in between
            note = (progress or Silent()).note
            if is_workspace(folder):
                _mend(folder, settings, note)
            else:
                _lay_out(folder, settings, note)
            for left in _left_by_init(folder):  # a kill came right after the last move
                left.rmdir()
        except BaseException:
            if made:
                for name in LOCK_NAMES:
                    (folder / name).unlink(missing_ok=True)
                remove_empty(made)
            raise
    return open_workspace(folder, device=device, progress=progress)


def is_same_but_pool(one: Config, other: Config) -> bool:
    """Tell whether two configurations differ in what they name as `pool` at most."""
    return one.model_copy(update={"pool": other.pool}) == other


def _check_free(folder: Path, config: Config) -> None:
    if is_workspace(folder):
        own = load_workspace_config(folder / "hilt.yaml")
        if own != config:
            line = command_line("init", folder, "--append", "--config", "CONFIG.yaml")
            more = f"; to add more rows, use `{line}`" if is_same_but_pool(own, config) else ""
            raise WorkspaceError(
                f"{folder} already is a workspace, with another configuration; choose another"
                f" folder, or edit {folder / 'hilt.yaml'}{more}."
            )
    elif folder.exists() and (not folder.is_dir() or _strangers(folder)):
        raise WorkspaceError(f"{folder} contains other files; choose a new or an empty folder.")


def _strangers(folder: Path) -> bool:
    """Tell whether a folder without a configuration holds more than a killed `init` leaves."""
    left = _left_by_init(folder)
    known = {path.name for path in left}.union(LOCK_NAMES, *map(_moved, left))
    return any(path.name not in known for path in folder.iterdir())


def _left_by_init(folder: Path) -> list[Path]:
    """List the folders in which a killed `init` built; one with anything else in it is not one."""
    return [
        path
        for path in folder.iterdir()
        if BUILD.fullmatch(path.name)
        and path.is_dir()
        and not path.is_symlink()
        and {each.name for each in path.iterdir()} <= BUILT
    ]


def _moved(build: Path) -> set[str]:
    """List what a killed `init` had moved out of the folder in which it built."""
    whole = build / "hilt.yaml"  # written last, so before it nothing was moved
    if not whole.exists():
        return set()
    names = {"pool", "state.db"} | ({"test"} if load_config(whole).test is not None else set())
    return {name for name in names if not (build / name).exists()}


def _mend(folder: Path, config: Config, note: Callable[[str], None]) -> None:
    """Read again what is damaged of the pool and of the test set."""
    medium, task = config.medium.make(), config.task.make(config.label_names)
    if find_fault(folder / "pool") is not None:
        store = Database(config.database or folder / "state.db")
        made_for = store.pool_fingerprint()
        store.close()
        mend_pool(folder / "pool", config.pool, task, made_for, note, medium)
    if config.test is not None:
        mend_pool(folder / "test", config.test, task, None, note, medium)


def _lay_out(folder: Path, config: Config, note: Callable[[str], None]) -> None:
    """Build everything in a folder of its own, then move it; the configuration goes last."""
    for left in _left_by_init(folder):
        for name in _moved(left):
            if (folder / name).exists():
                (folder / name).rename(left / name)
        shutil.rmtree(left)
    build = folder / f".hilt-init-{secrets.token_hex(8)}"
    build.mkdir()
    try:
        with room_for(folder):
            _build(build, config, note)
    except BaseException:
        shutil.rmtree(build, ignore_errors=True)
        raise
    for path in sorted(build.iterdir(), key=lambda path: path.name == "hilt.yaml"):
        path.rename(folder / path.name)


def _build(folder: Path, config: Config, note: Callable[[str], None]) -> None:
    store = Database(config.database or folder / "state.db")  # first: its URL may be none
    medium, task = config.medium.make(), config.task.make(config.label_names)
    build_pool(config.pool, task, folder / "pool", note, medium)
    if config.test is not None:
        build_pool(config.test, task, folder / "test", note, medium)
    store.create(
        Pool.open(folder / "pool").fingerprint,
        config.label_names,
        task=config.task.kind,
        medium=config.medium.kind,
    )
    store.close()
    values = config.model_dump(mode="json", exclude_unset=True)
    text = HEADER + yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)
    with whole_file(folder / "hilt.yaml") as unfinished:
        unfinished.write_text(text, encoding="utf-8")
