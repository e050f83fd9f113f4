"""Find the near-duplicates of a pool, and describe them."""

from __future__ import annotations

from hilt.command_line import command_line
from hilt.errors import WorkspaceError
from hilt.pipeline.duplicates.grouping import make_groups
from hilt.pipeline.duplicates.groups_on_disk import are_groups_current
from hilt.pipeline.duplicates.neighbour_graph import make_graph
from hilt.pipeline.duplicates.summary import DuplicatesResult, describe
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.outdated import EMBEDDINGS, read_outdated
from hilt.pipeline.workspace.workspace import Workspace


def duplicates(workspace: Workspace, most: int = 10) -> DuplicatesResult:
    """Find the near-duplicates of a pool, unless they are known already, and describe them.

    Args:
        workspace: The workspace, with embeddings.
        most: Maximum number of groups to describe.

    Raises:
        WorkspaceError: If there are no embeddings yet, or another encoder made them.
    """
    workspace.required(workspace.embeddings, "propose")
    state = LoopState.read(workspace)
    _check_embeddings(state)
    if workspace.graph is None or not are_groups_current(workspace):
        with workspace.locked():
            make_graph(workspace)
            make_groups(workspace)
    return describe(workspace, state.item_labels, most)


def _check_embeddings(state: LoopState) -> None:
    found, _ = read_outdated(state)
    for each in found:
        if each.what == EMBEDDINGS:
            line = command_line("propose", state.files.folder)
            raise WorkspaceError(f"{each}; run `{line}`.")
