"""The review screen of a workspace, served until it is stopped."""

from __future__ import annotations

from collections.abc import Callable

from hilt.command_line import command_line
from hilt.errors import WorkspaceError
from hilt.pipeline.reviewing.desk.workspace_desk import WorkspaceDesk
from hilt.pipeline.reviewing.reviewers import reviewers
from hilt.pipeline.workspace.workspace import Workspace
from hilt.review.screen.guard import is_loopback
from hilt.review.screen.server import serve

PORT = 8642


def review_in_browser(
    workspace: Workspace,
    *,
    live: bool = False,
    host: str = "127.0.0.1",
    port: int = PORT,
    listening: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the review screen until Ctrl+C; without any batch, one is selected first.

    Args:
        workspace: What to review.
        live: Train and select more items in a separate process when few are left.
        host: The address to listen on; any but this machine's own requires tokens.
        port: The port to listen on; 0 means any free one.
        listening: Called with the address once the screen answers; while there are no reviewers,
            it has a token in it, and lets in whoever opens it.

    Raises:
        WorkspaceError: If others could reach it and nobody has a token, or it cannot listen there.
    """
    if not is_loopback(host) and not reviewers(workspace):
        raise WorkspaceError(
            f"Others can reach the screen at {host}, so everybody needs a token: run"
            f" `{command_line('reviewer', 'add', workspace.folder, 'NAME')}` first."
        )
    if not workspace.database.batch_numbers():
        from hilt.pipeline.selecting.batches import (
            select,  # it takes seconds to load, and is rarely needed
        )

        select(workspace)
    serve(WorkspaceDesk(workspace, live=live), host, port, listening)
