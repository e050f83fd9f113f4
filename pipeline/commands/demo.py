"""`hilt demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilt.figures import counted, percent
from hilt.pipeline.commands.options import Debug, Device, Force, Json
from hilt.pipeline.commands.terminal import Bars, emit, say, show_table


def demo(
    folder: Annotated[
        Path, typer.Option("--folder", help="The folder for all files of the demo.")
    ] = Path("hilt-demo"),
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of every random draw.")] = 0,
    device: Device = None,
    force: Force = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Run the whole loop on a small real corpus: BBC News, five topics, five cycles.

    A simulated reviewer gives 80 labels. The student is compared with the proposer alone and with
    the same student trained on as many random labels.
    """
    from hilt.pipeline.benchmarking import demo as running
    from hilt.pipeline.training.headline import calibration

    result = running.demo(folder, seed=seed, device=device, force=force, progress=Bars())

    def text() -> None:
        rows = [
            [
                str(row["cycle"]),
                str(row["human_labels"]),
                str(row["audit_labels"]),
                row["student"],
                percent(row["student_accuracy"]),
                percent(row["proposer_accuracy"]),
                "too early" if row["audit_accuracy"] is None else percent(row["audit_accuracy"]),
                calibration(row),
            ]
            for row in result.table
        ]
        columns = [
            "cycle",
            "labels",
            "audit",
            "kind",
            "student",
            "proposer",
            "like the pool",
            "ECE (by chance)",
        ]
        show_table("BBC News, accuracy on held-out documents", columns, rows)
        say(
            f"After {counted(result.human_labels, 'label')}: the student"
            f" {percent(result.student_accuracy)}; the same student on as many random labels"
            f" {percent(result.random_accuracy)}; the proposer alone"
            f" {percent(result.proposer_accuracy)}."
        )
        say(f"{result.seconds:.0f} s, peak memory {result.peak_memory_mb:,.0f} MB.")
        say(f"Report: {result.report}")
        say(f"Result: {folder / 'result.json'}")

    emit(result, as_json=json, text=text)
