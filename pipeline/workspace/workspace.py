"""A labelling project on disk: made once by `init`, and opened by every command."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from hilt.command_line import command_line
from hilt.errors import WorkspaceError
from hilt.pipeline.configuration.reading import load_workspace_config
from hilt.pipeline.workspace.audit_order import AuditOrder
from hilt.pipeline.workspace.connection import DAMAGED, shown
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.labels import ItemLabel
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
        store.check(self.pool.fingerprints, self.config.label_names)
        return store

    def item_labels(self) -> list[ItemLabel]:
        """Resolve the decisions about every item that has a text, in the order of the pool.

        What was said of an item without a text, as older versions asked for, stays stored and
        counts for nothing. Answers of an audit count as such for the items that it stands for.
        """
        empty = set(self.pool.empty.tolist())
        outcomes = [each for each in self.database.item_labels() if each.index not in empty]
        self._check_known(outcomes)
        reach = self.audit_order.audited_items(outcomes)
        return [
            replace(each, audit=False) if each.audit and each.index >= reach else each
            for each in outcomes
        ]

    def _check_known(self, outcomes: Sequence[ItemLabel]) -> None:
        names = {None, *self.config.label_names}
        strange = next((each for each in outcomes if each.label not in names), None)
        if strange is not None:
            raise WorkspaceError(
                f"{shown(self.database.url)} has the label {strange.label!r} for the item"
                f" {self.pool.ids([strange.index])[0]!r}, but there is no such label;"
                f" {DAMAGED}."
            )

    @property
    def audit_order(self) -> AuditOrder:
        """The order in which the audit takes the items of the pool."""
        return AuditOrder(self.pool, self.config.seed, self.database.batch_selectors())

    @property
    def drawn_copies(self) -> dict[int, int]:
        """Items drawn for the audit and not asked, each with the one whose answer counts."""
        return self.audit_order.copies

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
