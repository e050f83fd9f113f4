"""`hilt predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilt.figures import counted
from hilt.pipeline.commands.options import (
    Debug,
    Delimiter,
    Device,
    Encoding,
    Force,
    Json,
    Quoting,
    Trust,
)
from hilt.pipeline.commands.terminal import Bars, emit, say, show_table


def predict(
    student: Annotated[
        Path,
        typer.Argument(
            help="A workspace, a release, or the folder of a student.", metavar="STUDENT"
        ),
    ],
    file: Annotated[Path, typer.Argument(help="New items: .csv, .xlsx, .jsonl, .parquet, ...")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file to write: .csv or .parquet.")
    ] = Path("predictions.csv"),
    text: Annotated[str, typer.Option("--text", help="The column with the text.")] = "text",
    id: Annotated[  # noqa: A002 - named like the option
        str | None,
        typer.Option(
            "--id",
            help="A column that must exist. All columns are kept, and ids may repeat.",
            show_default=False,
        ),
    ] = None,
    all_probabilities: Annotated[
        bool,
        typer.Option(
            "--all-probabilities", help="Also write a column probability_LABEL for each label."
        ),
    ] = False,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    quoting: Quoting = "auto",
    trust: Trust = None,
    force: Force = False,
    device: Device = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Label new items with the student.

    The output has all columns of the input, in the same order, and also `label` and `probability`.
    Rows without a text are kept, with an empty label.
    """
    from hilt.pipeline.releasing import predict as predicting

    result = predicting.predict(
        student,
        file,
        output,
        text=text,
        id=id,
        all_probabilities=all_probabilities,
        encoding=encoding,
        delimiter=delimiter,
        quoting=quoting,
        device=device or "auto",
        trust=trust or (),
        force=force,
        progress=Bars(),
    )

    def show() -> None:
        say(f"{result.path}: {counted(result.items, 'item')}.")
        if result.unlabelled:
            without = counted(result.unlabelled, "row has", "rows have")
            say(f"{without} no text, and an empty label.")
        if not result.label_counts:
            return
        rows = [[name, f"{count:,}"] for name, count in result.label_counts.items()]
        show_table("Predicted labels", ["label", "items"], rows)

    emit(result, as_json=json, text=show)
