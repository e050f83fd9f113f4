"""`hilt train`."""

from __future__ import annotations

from typing import Any

from hilt.pipeline.commands.options import Debug, Device, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, next_step, say


def train(work: Work, device: Device = None, json: Json = False, debug: Debug = False) -> None:
    """Train the student on everything that people have said so far.

    Cross-validation chooses its kind, whether self-training helps, and its temperature.
    """
    from hilt.pipeline import cycle
    from hilt.pipeline.workspace import open_workspace

    result = cycle.train(open_workspace(work, device=device, progress=Bars()))

    def text() -> None:
        if not result.new:
            say(f"Nothing is new since cycle {result.cycle}.")
        say_training(result.cycle, result.summary)
        next_step(f"hilt cycle {work}")

    emit(result, as_json=json, text=text)


def say_training(number: int, summary: dict[str, Any]) -> None:
    """Print what a training came to."""
    from hilt.pipeline.students.advantage import advantage_sentence

    taught = ", with self-training" if summary["self_training"] else ""
    say(
        f"Cycle {number}: a {summary['kind']} student on {summary['human_labels']} labels{taught},"
        f" {summary['seconds']:.1f} s."
    )
    for what, name in (("test", "test items"), ("audit", "audit items, cross-fitted")):
        if summary[what] is not None:
            student, proposer = summary[what]["student"], summary[what]["proposer"]
            say(
                f"  {student['items']:,} {name}: student {student['accuracy']:.1%}"
                f" ({student['low']:.1%} to {student['high']:.1%}),"
                f" proposer alone {proposer['accuracy']:.1%}."
            )
    say(f"  {advantage_sentence(summary)}")
