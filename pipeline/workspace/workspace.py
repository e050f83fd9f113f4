"""A labelling project on disk: made once by `init`, and opened by every command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hilt.command_line import command_line
from hilt.errors import WorkspaceError
from hilt.pipeline.configuration.reading import load_workspace_config
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.lock import lock
from hilt.plain_files import shown as shown_path
from hilt.plain_files import why_unreadable
from hilt.progress import Progress, Silent


@dataclass(frozen=True)
class Workspace(WorkspaceFiles):
    """One labelling project on disk: its files, its database, and the lock on both."""

    @cached_property
    def database(self) -> Database:
        """Batches, decisions and trainings."""
        store = Database(self.config.database or self.folder / "state.db")
        config = self.config
        store.check(
            self.pool.fingerprints,
            config.label_names,
            task=config.task.kind,
            medium=config.medium.kind,
        )
        return store

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands from writing to the workspace meanwhile; may be nested.

        Raises:
            WorkspaceError: If another command is writing.
        """
        with lock(self.folder):
            yield

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other commands from writing while this one only reads.

        A folder that cannot be written to cannot be locked either, and is read as it stands.

        Raises:
            WorkspaceError: If another command is writing.
        """
        with self.locked() if os.access(self.folder, os.W_OK) else nullcontext():
            yield


def open_workspace(
    folder: Path | str, *, device: str | None = None, progress: Progress | None = None
) -> Workspace:
    """Open a workspace that `init` made.

    Raises:
        WorkspaceError: If there is none.
        ConfigError: If its configuration was edited into something that cannot be used.
    """
    folder = Path(folder)
    if not is_workspace(folder):
        line = command_line("init", folder, "--config", "CONFIG.yaml")
        raise WorkspaceError(f"{folder} is not a hilt workspace; make one with `{line}`.")
    config = load_workspace_config(folder / "hilt.yaml")
    if config.test is not None and not (folder / "test").exists():
        raise WorkspaceError(
            f"{folder / 'hilt.yaml'} names a `test` that it did not have when the workspace was"
            " made; remove it, or make a new workspace."
        )
    return Workspace(folder, config, device or config.device, progress or Silent())


def is_workspace(folder: Path) -> bool:
    """Tell whether `init` made a folder.

    Raises:
        WorkspaceError: If that cannot be seen: a name is too long, or a folder above is closed.
    """
    try:
        return (folder / "hilt.yaml").exists()
    except OSError as error:
        raise WorkspaceError(
            f"{shown_path(str(folder))} cannot be opened: {why_unreadable(error)}; name another"
            " folder."
        ) from None
