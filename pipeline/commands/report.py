"""`hilt report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilt.pipeline.commands.options import Debug, Force, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, say


def report(
    work: Work,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write.", show_default="WORK/report.html"),
    ] = None,
    force: Force = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write one self-contained HTML page: learning curve, labels, calibration, latest batch."""
    from hilt.pipeline.reporting import report as reporting
    from hilt.pipeline.workspace.workspace import open_workspace

    path = reporting.report(open_workspace(work, progress=Bars()), output, force=force)
    emit({"report": path}, as_json=json, text=lambda: say(f"{path}"))
