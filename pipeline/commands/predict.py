"""`hilt predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilt.pipeline.commands.options import Debug, Device, Force, Json
from hilt.pipeline.commands.terminal import Bars, emit, say, show_table


def predict(
    student: Annotated[
        Path,
        typer.Argument(
            help="A workspace, a release, or the folder of a student.", metavar="STUDENT"
        ),
    ],
    file: Annotated[Path, typer.Argument(help="New items: .csv, .tsv, .jsonl, .parquet, ...")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write: .csv or .parquet.")
    ] = Path("predictions.csv"),
    text: Annotated[str, typer.Option("--text", help="The column with the text.")] = "text",
    id_column: Annotated[
        str | None,
        typer.Option(
            "--id",
            help="The column with an id; made from the content without it.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    device: Device = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Label new items with the student."""
    from hilt.pipeline import predict as predicting

    result = predicting.predict(
        student,
        file,
        output,
        text=text,
        id_column=id_column,
        device=device or "auto",
        force=force,
        progress=Bars(),
    )

    def show() -> None:
        say(f"{result.path}: {result.items:,} items.")
        rows = [[name, f"{count:,}"] for name, count in result.label_counts.items()]
        show_table("Predicted labels", ["label", "items"], rows)

    emit(result, as_json=json, text=show)
