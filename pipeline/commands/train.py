"""`hilt train`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilt.figures import counted, decimals
from hilt.pipeline.commands.options import Debug, Device, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, say

if TYPE_CHECKING:
    from hilt.pipeline.workspace.training_summary import TrainingSummary


def train(work: Work, device: Device = None, json: Json = False, debug: Debug = False) -> None:
    """Train the student on all labels that people gave so far.

    Cross-validation chooses its kind, whether self-training helps, and its temperature.
    """
    from hilt.pipeline.loop_state import LoopState
    from hilt.pipeline.reviewing.next_steps import next_step
    from hilt.pipeline.training import train as training
    from hilt.pipeline.workspace.workspace import open_workspace

    workspace = open_workspace(work, device=device, progress=Bars())
    result = training.train(workspace)

    def text() -> None:
        if not result.new:
            say(f"Nothing is new since cycle {result.cycle}.")
        say_training(result.cycle, result.summary)

    emit(result, as_json=json, text=text, then=next_step(LoopState.read(workspace)))


def say_training(number: int, summary: TrainingSummary) -> None:
    """Print what a training came to, given its number and what `told_in_full` says of it."""
    from hilt.pipeline.training.headline import accuracy_lines
    from hilt.pipeline.training.selection_gain import advantage_sentence

    taught = ", with self-training" if summary.self_training else ""
    say(
        f"Cycle {number}: a {summary.kind} student on"
        f" {counted(summary.human_labels, 'label')}{taught},"
        f" {decimals(summary.seconds, 1)} s."
    )
    for line in accuracy_lines(summary):
        say(f"  {line}")
    say(f"  {advantage_sentence(summary)}")
