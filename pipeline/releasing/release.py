"""What a user leaves with: the labelled dataset, the student, and a card for each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from hilt.outputs import output_folder
from hilt.pipeline.duplicates.inheriting import carrying, check
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.releasing.cards import dataset_card, model_card, own_classes
from hilt.pipeline.releasing.dataset import Counts, write_dataset
from hilt.pipeline.releasing.loaded import RELEASED
from hilt.pipeline.releasing.packing import pack_student
from hilt.pipeline.training.headline import told_in_full
from hilt.pipeline.training.readiness import up_to_date
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.pipeline.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """What a release holds.

    Attributes:
        folder: Where it is.
        items: Rows of the dataset.
        human: Rows whose label a person gave.
        inherited: Rows whose label a person gave to a near-duplicate.
        oracle: Rows whose label a proposer gave when a batch was reviewed (`hilt oracle`).
        machine: Rows whose label the fused proposal gave.
        unlabelled: Rows that people skipped or flagged, or without a text, so that they have none.
        without_text: Rows of those without a text.
        student: Folder of the student, None before the first training.
        skipped: Rows without a label that people skipped.
        flagged: Rows without a label that somebody flagged.
        commented: Rows with a comment.
        trust: Classes that are not hilt's, and must be trusted where the student is used.
    """

    folder: Path
    items: int
    human: int
    inherited: int
    oracle: int
    machine: int
    unlabelled: int
    without_text: int
    student: Path | None
    skipped: int
    flagged: int
    commented: int
    trust: tuple[str, ...] = ()


def release(workspace: Workspace, folder: Path | str, *, force: bool = False) -> ReleaseResult:
    """Write the dataset, the student and their cards into a new folder.

    A person's label always wins, then the one that a person gave to a near-duplicate, then what a
    proposer answered in a batch; every other item gets the likeliest label of the fused proposal,
    with its probability; an item that people skipped or flagged, or without a text, gets
    none.

    Args:
        workspace: What to release.
        folder: Where to: new, empty, or an earlier release that nobody changed.
        force: Move what is there to NAME.bak-1, if hilt wrote it.

    Raises:
        WorkspaceError: If there are no proposals yet, or they, or the student, are of another
            configuration and would cost much to make anew.
        OutputError: If the folder is taken, or cannot be written.
        ModelError: If the encoder that the student needs is gone, or was changed since.
    """
    folder = Path(folder)
    with (
        workspace.held(),
        output_folder(folder, "release", force=force, note=workspace.progress.note) as temporary,
    ):
        state = LoopState.read(workspace)
        state = up_to_date(state, Panel.of(state), workspace.database)
        counts, training = write_dataset(state, temporary), state.training
        summary = None if training is None else told_in_full(state, training)
        own: tuple[str, ...] = ()
        if training is not None and summary is not None:
            own = _write_student(state.files, temporary / RELEASED, training.cycle, summary)
        _write_card(state, temporary, summary, counts)
    return ReleaseResult(
        folder=folder,
        items=counts.rows,
        human=counts.sources["person"],
        inherited=counts.sources["inherited"],
        oracle=counts.sources["oracle"],
        machine=counts.sources["machine"],
        unlabelled=counts.sources["none"],
        without_text=counts.without_text,
        student=None if training is None else folder / RELEASED,
        skipped=counts.skipped,
        flagged=counts.flagged,
        commented=counts.commented,
        trust=own,
    )


def _write_student(
    files: WorkspaceFiles, folder: Path, cycle: int, summary: TrainingSummary
) -> tuple[str, ...]:
    """Write the student with what it needs, and its card; name the classes to trust."""
    packed = pack_student(files.saved_student(cycle), folder, files.trusted)
    card = model_card(_name(files), files, cycle, summary, packed)
    (folder / "README.md").write_text(card, encoding="utf-8")
    return own_classes(packed)


def _write_card(
    state: LoopState, folder: Path, summary: TrainingSummary | None, counts: Counts
) -> None:
    """Write the card of the dataset, and the names of the labels in the order of their numbers."""
    files = state.files
    checked = check(files.groups, state.item_labels, carrying(files))
    card = dataset_card(_name(files), files, counts, summary, checked)
    (folder / "README.md").write_text(card, encoding="utf-8")
    names = json.dumps(list(files.config.label_names), ensure_ascii=False, indent=1)
    (folder / "labels.json").write_text(names + "\n", encoding="utf-8")


def _name(files: WorkspaceFiles) -> str:
    return files.folder.resolve().name
