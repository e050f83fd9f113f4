"""`hilt init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilt.pipeline.commands.options import Debug, Json, Work
from hilt.pipeline.commands.terminal import Bars, emit, say
from hilt.pipeline.figures import counted


def init(
    work: Work,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration, a YAML file.")],
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Read the pool, check every row, and make the workspace.

    Nothing is left behind when a row cannot be used. Run it again and nothing changes.
    """
    from hilt.pipeline import workspace
    from hilt.pipeline.next_steps import next_step

    made = workspace.init(work, config, progress=Bars())
    summary = made.pool.summary
    value = {
        "workspace": work,
        "items": summary.items,
        "empty_texts": summary.empty_texts,
        "exact_duplicates": summary.exact_duplicates,
        "test_items": 0 if made.test is None else len(made.test),
        "labels": list(made.config.label_names),
    }

    def text() -> None:
        labels = counted(len(made.config.labels), "label")
        say(f"{work}: {counted(summary.items, 'item')}, {labels}.")
        if summary.empty_texts:
            say(
                f"{counted(summary.empty_texts, 'text is', 'texts are')} empty: kept in place, but"
                " nobody is asked about a text that is empty."
            )
        if summary.exact_duplicates:
            copies = counted(summary.exact_duplicates, "copy of an", "copies of")
            texts = "earlier text" if summary.exact_duplicates == 1 else "earlier texts"
            say(f"{copies} {texts}: kept, but each text is asked once.")
        if made.test is not None:
            say(f"{counted(len(made.test), 'test item')}, to measure on.")

    emit(value, as_json=json, text=text, then=next_step(made))
