"""`hilt config`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilt.errors import ConfigError
from hilt.figures import counted
from hilt.pipeline.commands.options import Debug, Json
from hilt.pipeline.commands.terminal import emit, say


def config(
    file: Annotated[
        Path | None, typer.Argument(help="The configuration to check.", show_default=False)
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print every option with its description.")
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Check a configuration, or explain every option."""
    if explain:
        from hilt.pipeline.configuration.explaining import explain_config, list_options

        emit({"options": list_options()}, as_json=json, text=lambda: say(explain_config()))
        return
    if file is None:
        raise ConfigError("Name a configuration to check, or use --explain.")
    from hilt.pipeline.configuration.reading import load_config

    loaded = load_config(file)
    labels = counted(len(loaded.labels), "label")
    emit(
        loaded.model_dump(mode="json"),
        as_json=json,
        text=lambda: say(f"{file} is valid: {labels}, pool {loaded.pool.path}."),
    )
