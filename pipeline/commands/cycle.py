"""`hilt cycle`."""

from __future__ import annotations

from typing import Annotated

import typer

from hilt.figures import counted
from hilt.pipeline.commands.options import Debug, Device, Json, Work
from hilt.pipeline.commands.select_ import batch_value
from hilt.pipeline.commands.terminal import Bars, emit, say
from hilt.pipeline.commands.train import say_training


def cycle(
    work: Work,
    partial: Annotated[
        bool,
        typer.Option(
            "--partial",
            help="Continue although the batch has undecided items; they go back to the pool.",
        ),
    ] = False,
    extend: Annotated[
        bool,
        typer.Option(
            "--extend", help="Continue, and keep undecided items open alongside the new batch."
        ),
    ] = False,
    device: Device = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Train the student, propose again with it, and select the next batch.

    Once everything is decided, the student still learns the last labels, but no batch is made.
    """
    from hilt.pipeline import cycle as loop
    from hilt.pipeline.loop_state import LoopState
    from hilt.pipeline.reviewing.next_steps import next_step
    from hilt.pipeline.training.headline import told_in_full
    from hilt.pipeline.workspace.workspace import open_workspace

    workspace = open_workspace(work, device=device, progress=Bars())
    batch = loop.cycle(workspace, partial=partial, extend=extend)
    state = LoopState.read(workspace)
    training = state.training
    assert training is not None
    summary = told_in_full(state, training)
    value = {"cycle": training.cycle, "training": summary, **batch_value(batch, workspace.task)}

    def text() -> None:
        say_training(training.cycle, summary)
        found = f"Batch {batch.number}: {counted(len(batch), 'item')}."
        say(found if len(batch) else f"{batch.note}.")
        if batch.shortage:
            say(f"{batch.shortage}.")

    emit(value, as_json=json, text=text, then=next_step(state))
