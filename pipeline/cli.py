"""The command line: it parses, calls one function, and prints its result."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

from hilt.pipeline.commands.agreement import agreement
from hilt.pipeline.commands.benchmark import benchmark
from hilt.pipeline.commands.config import config
from hilt.pipeline.commands.cycle import cycle
from hilt.pipeline.commands.decisions import decisions
from hilt.pipeline.commands.demo import demo
from hilt.pipeline.commands.duplicates import duplicates
from hilt.pipeline.commands.export import export
from hilt.pipeline.commands.import_ import import_
from hilt.pipeline.commands.init import init
from hilt.pipeline.commands.onnx import onnx
from hilt.pipeline.commands.oracle import oracle
from hilt.pipeline.commands.plain_help import PlainHelp
from hilt.pipeline.commands.predict import predict
from hilt.pipeline.commands.propose import propose
from hilt.pipeline.commands.release import release
from hilt.pipeline.commands.report import report
from hilt.pipeline.commands.review import review
from hilt.pipeline.commands.reviewer import REVIEWER
from hilt.pipeline.commands.rules import rules
from hilt.pipeline.commands.select_ import select
from hilt.pipeline.commands.status import status
from hilt.pipeline.commands.streams import StreamError, robust_streams
from hilt.pipeline.commands.terminal import command, say_error
from hilt.pipeline.commands.train import train

app = typer.Typer(
    name="hilt",
    cls=PlainHelp,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A human-in-the-loop labelling pipeline: a pretrained model proposes labels for the"
    " whole pool, a selector picks the few items that a person should see, the person"
    " corrects them, and a small student learns from the corrections. Then the loop starts"
    " again.",
    epilog="Start with `hilt demo`, or with `hilt init WORK --config CONFIG.yaml`.",
)

# The commands by the heading under which `hilt --help` lists them.
COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "Start": {"demo": demo, "config": config, "init": init},
    "The loop": {
        "propose": propose,
        "duplicates": duplicates,
        "rules": rules,
        "select": select,
        "oracle": oracle,
        "review": review,
        "agreement": agreement,
        "decisions": decisions,
        "export": export,
        "import": import_,
        "train": train,
        "cycle": cycle,
        "status": status,
    },
    "Results": {
        "report": report,
        "release": release,
        "predict": predict,
        "onnx": onnx,
    },
    "Measure": {"benchmark": benchmark},
}
for heading, functions in COMMANDS.items():
    for name, function in functions.items():
        app.command(name, rich_help_panel=heading)(command(function))

reviewer = typer.Typer(
    no_args_is_help=True,
    help="Add, list and remove reviewers; each gets a token for the review screen.",
)
for name, function in REVIEWER.items():
    reviewer.command(name)(command(function))
app.add_typer(reviewer, name="reviewer", rich_help_panel="The loop")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hilt {version('hilt')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line."""
    gc.set_threshold(50_000)  # half a million objects are made as torch loads, few of them garbage
    with robust_streams():
        terminal = all(stream and stream.isatty() for stream in (sys.stdout, sys.stderr))
        app.rich_markup_mode = "markdown" if terminal else None  # a pipe gets help without frames
        try:
            app()
        except StreamError as error:
            if isinstance(error.__cause__, BrokenPipeError):
                sys.exit(1)  # whoever closed the pipe knows
            say_error(f"standard output cannot be written: {error}.")
            sys.exit(2)


if __name__ == "__main__":
    main()
