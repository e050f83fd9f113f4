"""The arguments and options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Work = Annotated[Path, typer.Argument(help="The folder of the workspace.", metavar="WORK")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="Where models run: auto, cpu, cuda or mps. Default: the configuration.",
        show_default=False,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Write even if something is there already; it is moved to NAME.bak-1, never deleted.",
    ),
]
Trust = Annotated[
    list[str] | None,
    typer.Option(
        "--trust",
        help="A class (package.module:Class) that the student's files name and that you allow"
        " to run. Can be given more than once.",
        metavar="NAME",
        show_default=False,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", help="csv or jsonl. Default: the ending of the file.", show_default=False
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        help="Encoding of the file, such as cp1252. Default: from its byte order mark, else UTF-8.",
        show_default=False,
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        help="The character between fields. Default: detected.",
        show_default=False,
    ),
]
Quoting = Annotated[
    str,
    typer.Option(
        "--quoting",
        help='What `"` means: fields (it encloses fields), none (an ordinary character) or auto.',
    ),
]
