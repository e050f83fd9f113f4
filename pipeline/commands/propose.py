"""`hilt propose`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hilt.command_line import command_line
from hilt.figures import counted, percent
from hilt.pipeline.commands.duplicates import say_summary
from hilt.pipeline.commands.options import Debug, Device, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, say, show_table

if TYPE_CHECKING:
    from hilt.pipeline.proposing.propose import ProposeResult


def propose(
    work: Work,
    remake: Annotated[
        bool,
        typer.Option(
            "--remake",
            help="Make everything again that another configuration made, even if it costs"
            " money or takes long.",
        ),
    ] = False,
    device: Device = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Embed the pool and propose a label for every item.

    Results that are still valid are reused, and an interrupted run is resumed. Once a student is
    trained, it proposes too. Results of another configuration are made again, unless that costs
    money or more than a few minutes; then the command refuses and says so.
    """
    from hilt.pipeline.loop_state import LoopState
    from hilt.pipeline.proposing import propose as proposing
    from hilt.pipeline.reviewing.next_steps import next_step
    from hilt.pipeline.workspace.workspace import open_workspace

    workspace = open_workspace(work, device=device, progress=Bars())
    result = proposing.propose(workspace, remake=remake)

    def text() -> None:
        made = ", ".join(result.made) or "nothing, because everything was current"
        say(f"{counted(result.items, 'item')}; made {made}.")
        if result.too_long:
            texts = counted(result.too_long, "text is", "texts are")
            say(f"{texts} longer than the encoder can read, and cut at the end.")
        for name, told in result.summaries.items():
            say(f"{name}: {', '.join(f'{key} {value}' for key, value in told.items())}.")
        if result.regrouped:
            say(
                "Near-duplicates were searched again: words that many texts share no"
                " longer make texts alike. Decisions stay as they are; inherited labels"
                " follow the new groups."
            )
        if result.duplicates.groups:
            say_summary(work, result.duplicates)
            say(f"Look at them with `{command_line('duplicates', work)}`.")
        counts = sorted(result.label_counts.items(), key=lambda pair: -pair[1])
        total = sum(result.label_counts.values())
        rows = [[name, f"{count:,}", percent(count / max(1, total))] for name, count in counts]
        show_table("Proposed labels", ["label", "items", "share"], rows)
        for each in result.one_sided:
            say(str(each))
        _hint_at_descriptions(result)

    emit(result, as_json=json, text=text, then=next_step(LoopState.read(workspace)))


def _hint_at_descriptions(result: ProposeResult) -> None:
    """Say that labels are known by their names alone, which costs accuracy at the start."""
    bare = result.undescribed
    if bare and "student" not in result.made:
        shown = ", ".join(bare[:5]) + (", ..." if len(bare) > 5 else "")
        say(
            f"Labels without a description: {shown}. Proposals are usually better if a"
            " sentence under `labels` in hilt.yaml says what each label means (do not change"
            " the names)."
        )
