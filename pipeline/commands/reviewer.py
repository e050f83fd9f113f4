"""`hilt reviewer`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from hilt.command_line import command_line
from hilt.pipeline.commands.options import Debug, Json, Work
from hilt.pipeline.commands.terminal import emit, say, show_table

Name = Annotated[str, typer.Argument(help="The reviewer's name.", metavar="NAME")]


def add(
    work: Work,
    name: Name,
    adjudicator: Annotated[
        bool, typer.Option("--adjudicator", help="This reviewer may also settle disagreements.")
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Add a reviewer, or give one a new token.

    The token is shown once and not stored. As soon as there is a reviewer, everybody needs a token,
    on this machine too.
    """
    from hilt.pipeline.reviewing.next_steps import NextStep
    from hilt.pipeline.reviewing.reviewers import add_reviewer
    from hilt.pipeline.workspace.workspace import open_workspace

    token = add_reviewer(open_workspace(work), name, adjudicator=adjudicator)

    def text() -> None:
        say(f"{name} signs in with this token, which is not shown again:")
        say(token)
        say("With --host ADDRESS, `hilt review` accepts other machines too.")

    value = {"name": name, "token": token, "adjudicator": adjudicator}
    emit(value, as_json=json, text=text, then=NextStep(("review", work)))


def list_(work: Work, json: Json = False, debug: Debug = False) -> None:
    """List the reviewers."""
    from hilt.pipeline.reviewing.reviewers import reviewers
    from hilt.pipeline.workspace.workspace import open_workspace

    found = reviewers(open_workspace(work))
    value = [
        {"name": each.name, "adjudicator": each.adjudicator, "added_at": each.added_at.isoformat()}
        for each in found
    ]

    def text() -> None:
        if not found:
            say(
                "No reviewer was added yet: whoever opens the address that `hilt review`"
                " prints can review."
            )
            say(f"Add a reviewer with `{command_line('reviewer', 'add', work, 'NAME')}`.")
            return
        rows = [
            [each.name, "yes" if each.adjudicator else "", f"{each.added_at:%Y-%m-%d}"]
            for each in found
        ]
        show_table("Reviewers", ["name", "adjudicator", "added"], rows)

    emit({"reviewers": value}, as_json=json, text=text)


def remove(work: Work, name: Name, json: Json = False, debug: Debug = False) -> None:
    """Remove a reviewer's access at once; their decisions stay."""
    from hilt.pipeline.reviewing.reviewers import remove_reviewer
    from hilt.pipeline.workspace.workspace import open_workspace

    remove_reviewer(open_workspace(work), name)
    emit({"removed": name}, as_json=json, text=lambda: say(f"{name} can no longer sign in."))


REVIEWER: dict[str, Callable[..., None]] = {"add": add, "list": list_, "remove": remove}
