"""A pool that grows: rows that were added to its source, and a source that has changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from hilt.command_line import command_line
from hilt.errors import HiltError, WorkspaceError
from hilt.figures import counted
from hilt.pipeline.configuration.reading import load_config
from hilt.pipeline.pools import appending
from hilt.pipeline.pools.appending import Comparison
from hilt.pipeline.pools.record import SourceFile, source_file, write_record
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.progress import Progress
from hilt.reading.names import label_listing

SCRATCH = "append.partial"  # what a kill leaves there, the next call clears


@dataclass(frozen=True, slots=True)
class Appended:
    """What `append` did.

    Attributes:
        workspace: The workspace, opened again.
        new: Items that it has now and had not before; they come after all others.
        gone: Items that the source no longer has; they stay.
    """

    workspace: Workspace
    new: int
    gone: int


def append(
    folder: Path | str,
    config: Path | str | None = None,
    *,
    device: str | None = None,
    progress: Progress | None = None,
) -> Appended:
    """Add the new rows of a workspace's source to its pool.

    Existing items keep their ids, indices, decisions, proposals and places in the order of the
    audit. `propose` then embeds and proposes for the new ones only.

    Args:
        folder: The workspace.
        config: A configuration whose `pool` names another source, with new rows; its labels
            must be those of the workspace, and nothing else of it is read. Without it the source
            is read that `init` read.
        device: Where models run; default: the configuration.
        progress: Receives progress and notes.

    Raises:
        ConfigError: If the configuration cannot be used.
        DataError: If the source cannot be used, or the text of an item has changed in it.
        WorkspaceError: If there is no workspace, or another command is writing to it.
    """
    workspace = open_workspace(folder, device=device, progress=progress)
    source = workspace.config if config is None else load_config(config)
    if set(source.label_names) != set(workspace.config.label_names):
        raise WorkspaceError(
            f"{config} belongs to another project: its labels are not those of {workspace.folder}"
            f" ({label_listing(workspace.config.label_names)})."
        )
    with workspace.locked():
        _ = workspace.database  # which makes sure that its state belongs to this pool
        found = appending.append(
            workspace.pool,
            source.pool,
            workspace.task,
            workspace.folder / SCRATCH,
            workspace.progress.note,
        )
    workspace.database.close()
    grown = open_workspace(folder, device=device, progress=progress)
    return Appended(grown, found.new, found.gone)


def source_is_as_read(files: WorkspaceFiles) -> bool:
    """Tell whether the file that the pool was read from has the size and the time that it had.

    True where that is not known: of a dataset on the hub, and in an older files.
    """
    read = _read_from(files)
    try:
        return read is None or source_file(read.path) == read
    except OSError:
        return False


def source_path(files: WorkspaceFiles) -> str:
    """Say from which file the pool was read last."""
    read = _read_from(files)
    return files.config.pool.path if read is None else read.path


def say_gone(path: str) -> str:
    """Say that the file is gone from which the pool was read."""
    return (
        f"{path}, from which the pool was read, no longer exists. Nothing is lost: the workspace"
        " has its own copy."
    )


def say_changes(workspace: Workspace) -> str:
    """Say in sentences how the source differs from the pool; empty where it does not.

    It is read only where its size or its time have changed.
    """
    read = _read_from(workspace)
    if read is None or source_is_as_read(workspace):
        return ""
    if not Path(read.path).exists():
        return say_gone(read.path)
    source = workspace.config.pool.model_copy(update={"path": read.path})
    task = workspace.task
    try:
        with workspace.locked():
            found = appending.compare(workspace.pool, source, task, workspace.folder / SCRATCH)
            if not found:  # it was touched, and no more
                summary = workspace.pool.summary
                write_record(workspace.pool.folder, replace(summary, source=source_file(read.path)))
                return ""
    except HiltError as error:
        return (
            f"{read.path} has changed since the pool was read, and cannot be read now: {error} The"
            " workspace continues with what was read before."
        )
    return _sentences(workspace, read.path, found)


def _read_from(files: WorkspaceFiles) -> SourceFile | None:
    """Say what the pool was read from; where it moved, at the place that the configuration says."""
    summary = files.pool.summary
    read = summary.source
    if read is None or summary.earlier or Path(read.path).exists():
        return read
    return replace(read, path=files.config.pool.path)


def _sentences(workspace: Workspace, path: str, found: Comparison) -> str:
    line = command_line("init", workspace.folder, "--append")
    parts = [f"{path} has changed since the pool was read."]
    if found.changed:
        parts.append(
            f"{counted(found.changed, 'item has', 'items have')} another text there, which is not"
            f" used. {found.first_changed}"
        )
    if found.gone:
        parts.append(f"{counted(found.gone, 'item is', 'items are')} gone from it, and kept here.")
    if found.new:
        parts.append(f"{counted(found.new, 'row is', 'rows are')} new; add them with `{line}`.")
    return " ".join(parts)
