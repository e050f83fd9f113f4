"""`hilt duplicates`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hilt.command_line import command_line
from hilt.figures import between, counted, percent
from hilt.pipeline.commands.options import Debug, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, say, show_table

if TYPE_CHECKING:
    from hilt.pipeline.duplicates.summary import DuplicateGroup, DuplicatesSummary, Pair
    from hilt.pipeline.workspace.workspace import Workspace

WIDTH = 100  # characters of a line that are shown


def duplicates(
    work: Work,
    most: Annotated[
        int, typer.Option("--most", min=1, help="Maximum number of groups to show.")
    ] = 10,
    contrary: Annotated[
        bool,
        typer.Option(
            "--contrary",
            help="List copies of the same text that people labelled differently, instead.",
        ),
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show the groups of near-duplicates, and the pairs just above and just below the threshold.

    Look at them before you label: one item of a group is asked, and the others inherit its label.
    Change `duplicates` in the workspace's `hilt.yaml` and run this again until the groups are
    right.
    """
    from hilt.pipeline.loop_state import LoopState
    from hilt.pipeline.proposing import duplicates as finding
    from hilt.pipeline.reviewing.next_steps import next_step
    from hilt.pipeline.workspace.workspace import open_workspace

    workspace = open_workspace(work, progress=Bars())
    if contrary:
        _list_contrary(workspace, json=json)
        return
    result = finding.duplicates(workspace, most)

    def text() -> None:
        say_summary(work, result.summary)
        if result.summary.near and result.recall is not None:
            say(f"The search found {percent(result.recall)} of the nearest neighbours of a sample.")
        show_table("Groups", ["items", "groups"], [[k, f"{n:,}"] for k, n in result.sizes.items()])
        for group in result.largest:
            _say_group(group)
        for together, word in ((True, "together"), (False, "apart")):
            pairs = [pair for pair in result.pairs if pair.together is together]
            if pairs:
                limits = f"cosine {result.cosine:g} and overlap {result.overlap:g}"
                say(f"\nOnly just {word} (needed: {limits}):")
            for pair in pairs:
                _say_pair(pair)

    emit(result, as_json=json, text=text, then=next_step(LoopState.read(workspace)))


def say_contrary(work: Path, count: int) -> None:
    """Say that copies of a text have different labels, where some do."""
    if count:
        line = command_line("duplicates", work, "--contrary")
        texts = counted(count, "text has copies", "texts have copies")
        say(f"{texts} that people labelled differently; list them with `{line}`.")


def _list_contrary(workspace: Workspace, *, json: bool) -> None:
    from hilt.pipeline.duplicates.contrary import find_contrary
    from hilt.pipeline.loop_state import LoopState
    from hilt.pipeline.reviewing.next_steps import next_step

    found = find_contrary(workspace)

    def text() -> None:
        for each in found:
            say(f"\n{_short(each.text)}")
            for copy in each.copies:
                say(f"    {copy.label} ({', '.join(copy.reviewers)}): {copy.id}")
        many = counted(len(found), "text has copies", "texts have copies")
        say(
            f"{many} that people labelled differently."
            if found
            else "No copies of a text have different labels."
        )
        if found:
            line = command_line("import", workspace.folder, "FILE")
            say(f"Correct a label by importing another answer with `id` and `label`: `{line}`.")

    emit({"contrary": found}, as_json=json, text=text, then=next_step(LoopState.read(workspace)))


def say_summary(work: Path, summary: DuplicatesSummary) -> None:
    """Say how many groups there are, and how far inherited labels can be trusted."""
    kind = "near-duplicates" if summary.near else "the same texts"
    say(
        f"{counted(summary.items, 'item is', 'items are')} in"
        f" {counted(summary.groups, 'group')} of {kind};"
        f" {counted(summary.inherited, 'inherits', 'inherit')} a label."
    )
    if summary.appended:
        say(
            "The near-duplicates of"
            f" {counted(summary.appended, 'item that was', 'items that were')} appended are"
            f" not known yet; run `{command_line('propose', work)}`."
        )
    say_contrary(work, summary.contrary)
    check = summary.check
    if check is not None:
        say(
            "Inherited labels that were right when checked blind:"
            f" {check.right} of {check.checked} (95 % interval {between(check.low, check.high)})."
        )
        if check.doubtful:
            say(
                "Too many may be wrong: raise `duplicates.cosine` or `duplicates.overlap`"
                " in hilt.yaml, then look again with `hilt duplicates`."
            )


def _say_group(group: DuplicateGroup) -> None:
    say(f"{counted(group.items, 'item')}: {_short(group.representative)}")
    for member in group.members:
        say(f"    {_short(member)}")


def _say_pair(pair: Pair) -> None:
    say(f"cosine {pair.cosine:.3f}, overlap {pair.overlap:.2f}")
    for text, words in zip(pair.texts, pair.words, strict=True):
        say(f"    {_short(text)}")
        if words:
            say(f"      has {_short(', '.join(words))}")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "\u2026"
