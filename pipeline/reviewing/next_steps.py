"""What to do next, decided in one place from what a workspace holds."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, takewhile
from pathlib import Path

from hilt.command_line import command_line
from hilt.figures import counted
from hilt.output_manifest import MANIFEST
from hilt.pipeline.duplicates.groups_on_disk import why_group_anew
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.damage import damaged_arrays, say_missing
from hilt.pipeline.proposing.outdated import Look, read_outdated
from hilt.pipeline.reviewing.disagreements import disputed, said_of_texts
from hilt.pipeline.selecting.remaining import is_anything_left
from hilt.pipeline.workspace.labels import ItemLabel, resolve_all
from hilt.pipeline.workspace.tables import DecisionRow, TrainingRow


@dataclass(frozen=True, slots=True)
class NextStep:
    """The command to run next, and why where that is not plain.

    Attributes:
        words: The command and what follows it.
        why: A sentence for people, or nothing.
        finished: Whether nothing is left to ask, and everything that was said is learnt.
        makes_batch: Whether it makes a batch.
    """

    words: tuple[str | Path, ...]
    why: str = ""
    finished: bool = False
    makes_batch: bool = False

    def __str__(self) -> str:
        return command_line(*self.words)


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides on the next step.

    Attributes:
        proposed: Whether there are proposals.
        open_items: Undecided items of the last batch.
        labels: Items with a label that people gave.
        left: Whether anything is left to ask about.
        learnt: Whether the latest training, and the proposals, know every label.
        disputed: Items on which people disagree, and that nothing settles.
        released: The folder beside the workspace with a release of its latest student.
        outdated: Why something is to be made anew, where it is.
        damaged: How many arrays are damaged.
    """

    proposed: bool
    open_items: int
    labels: int
    left: bool
    learnt: bool
    disputed: int
    released: Path | None = None
    outdated: str = ""
    damaged: int = 0


def next_step(state: LoopState, look: Look | None = None) -> NextStep:
    """Say which command comes next; it is refused only where it would cost much.

    Args:
        state: As it is.
        look: What is outdated, where the caller has looked already.
    """
    return decide(state.files.folder, read_situation(state, look))


def step_beside(state: LoopState, waiting: Collection[int]) -> NextStep | None:
    """Say what makes more items while people have others in hand; None where nothing would.

    Args:
        state: As it is.
        waiting: Indices of the items that people have in hand.
    """
    if not state.files.is_proposed or not _labelled(state, state.decisions):
        return None
    if not is_anything_left(state, waiting):
        return None
    return NextStep(("cycle", state.files.folder, "--extend"), makes_batch=True)


def decide(folder: Path, now: Situation) -> NextStep:
    """Choose the command for a situation."""
    if now.damaged:
        files = counted(now.damaged, "file is damaged, and is", "files are damaged, and are")
        return NextStep(("propose", folder), f"{files} made again.")
    if not now.proposed:
        return NextStep(("propose", folder))
    if now.open_items:
        return NextStep(("review", folder))
    if now.outdated:
        return NextStep(("propose", folder), now.outdated)
    if now.left:
        return NextStep(("cycle" if now.labels else "select", folder), makes_batch=True)
    return _last_step(folder, now)


def _last_step(folder: Path, now: Situation) -> NextStep:
    """Choose the command once nothing is left to ask."""
    if not now.labels:
        why = "Everything is decided, but no person gave a label, and a student needs some."
        return NextStep(("report", folder), why, finished=True)
    if not now.learnt:
        return NextStep(
            ("cycle", folder), "Everything is labelled; now train the student on the last labels."
        )
    if now.disputed:
        items = counted(now.disputed, "item")
        why = f"Everything is labelled, but people disagree on {items}; settle these first."
        return NextStep(("review", folder), why, finished=True)
    if now.released:
        why = f"Everything is labelled, and released to {now.released}."
        return NextStep(("report", folder), why, finished=True)
    why = "Everything is labelled. Release the dataset and the student, or look at the report."
    return NextStep(("release", folder, _release_folder(folder)), why, finished=True)


def read_situation(state: LoopState, look: Look | None = None) -> Situation:
    """Read what decides on the next step; no model is loaded, unless the embedder changed."""
    files = state.files
    damaged = len(damaged_arrays(files))
    if damaged or not files.is_proposed:
        return Situation(False, 0, 0, left=True, learnt=False, disputed=0, damaged=damaged)
    labelled = _labelled(state, state.decisions)
    open_items = state.open_items
    found, student = look or read_outdated(state)
    return Situation(
        proposed=True,
        open_items=open_items,
        labels=len(labelled),
        left=bool(open_items) or is_anything_left(state),
        learnt=student is None and _is_learnt(state, labelled),
        disputed=len(disputed(said_of_texts(state))),
        released=_released(files.folder, state.training),
        outdated=f"{found[0]}." if found else why_group_anew(files) or say_missing(files),
    )


def _labelled(state: LoopState, decisions: Sequence[DecisionRow]) -> list[ItemLabel]:
    empty = set(state.files.pool.empty.tolist())  # whatever was said of those, nobody learns it
    resolved = resolve_all(decisions, state.files.task.answers)
    return [each for each in resolved if each.by_people and each.index not in empty]


def _is_learnt(state: LoopState, labelled: list[ItemLabel]) -> bool:
    """Tell whether the latest student learnt these labels, and its proposals are fused."""
    training = state.training
    if training is None:
        return False
    known = [row for row in state.decisions if row.id <= training.last_decision]
    fused = state.files.fused.maker() or {}
    return _said(_labelled(state, known)) == _said(labelled) and fused.get("student") == [
        training.cycle,
        training.fingerprint,
    ]


def _said(labelled: list[ItemLabel]) -> list[tuple[object, ...]]:
    return [(outcome.index, outcome.value, outcome.audit) for outcome in labelled]


def _released(folder: Path, training: TrainingRow | None) -> Path | None:
    """Find a release that `decide` named, unless a student was trained since."""
    if training is None:
        return None
    for path in takewhile(Path.exists, _beside(folder)):
        manifest = path / MANIFEST
        if manifest.exists() and _changed_at(manifest) >= training.created_at:
            return path
    return None


def _changed_at(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def _release_folder(folder: Path) -> Path:
    """Name a folder beside the workspace into which a release can go."""
    return next(path for path in _beside(folder) if not os.path.lexists(path))


def _beside(folder: Path) -> Iterator[Path]:
    """Name folders for releases of a workspace, one after the other."""
    named = folder if folder.name not in ("", "..") else folder.resolve()
    yield named.with_name(f"{named.name}-release")
    yield from (named.with_name(f"{named.name}-release-{number}") for number in count(2))
