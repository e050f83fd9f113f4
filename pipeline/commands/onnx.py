"""`hilt onnx`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilt.pipeline.commands.options import Debug, Force, Json, Trust
from hilt.pipeline.commands.terminal import Bars, emit, say


def onnx(
    student: Annotated[
        Path,
        typer.Argument(help="A workspace, a release, or the folder of a student.", metavar="WORK"),
    ],
    folder: Annotated[Path, typer.Argument(help="The folder to write.", metavar="OUT")],
    trust: Trust = None,
    force: Force = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the student as ONNX: token ids in, probabilities out, without torch.

    Needs the packages onnx, onnxruntime and onnxscript. docs/students.md shows how to use the
    result.
    """
    from hilt.pipeline.releasing import onnx_export

    result = onnx_export.onnx(student, folder, trust=trust or (), force=force, progress=Bars())

    def text() -> None:
        files = ", ".join(str(path) for path in result.models)
        say(f"{files}: the {result.kind} student, {result.megabytes:,} MB.")

    emit(result, as_json=json, text=text)
