"""`hilt review`."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from hilt.pipeline.commands.options import Debug, Device, Json, Work
from hilt.pipeline.commands.terminal import emit, say, warn
from hilt.pipeline.commands.terminal import next_step as show_next


def review(
    work: Work,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Train and select more items in the background when few are left."
        ),
    ] = False,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            help="The address to listen on. Any other than this machine's own requires"
            " reviewers with tokens: `hilt reviewer add WORK NAME`.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", min=0, max=65535, help="The port to listen on; 0 means any free one."
        ),
    ] = 8642,
    browser: Annotated[bool, typer.Option(help="Whether to open the browser.")] = True,
    device: Device = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Open the review screen in the browser: Enter accepts, a digit corrects.

    Every decision is stored at once; stop with Ctrl+C at any time. If there is no batch, one is
    selected. The printed address contains a token: whoever knows it can read and label. Several
    people can work at the same time, each with a token of their own (`hilt reviewer add`).
    """
    from hilt.pipeline.reviewing.serving import review_in_browser
    from hilt.pipeline.workspace.workspace import open_workspace
    from hilt.review.screen.opening import no_page_left, open_browser

    def listening(address: str) -> None:
        emit(
            {"address": address},
            as_json=json,
            text=lambda: say(f"Reviewing {work} at {address} (Ctrl+C stops; nothing is lost)"),
        )
        if browser and not open_browser(address, workspace.folder):
            warn("No browser could be opened; open the address yourself.")

    workspace = open_workspace(work, device=device)
    with suppress(KeyboardInterrupt), no_page_left(workspace.folder):  # Ctrl+C is how it ends
        review_in_browser(workspace, live=live, host=host, port=port, listening=listening)
    if not json:
        from hilt.pipeline.loop_state import LoopState
        from hilt.pipeline.reviewing.next_steps import (
            next_step,  # loads models: not before the screen opens
        )

        show_next(next_step(LoopState.read(workspace)))
