"""Embeddings and proposals for the whole pool, and the one distribution fused from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hilt.blocks import blocks
from hilt.command_line import command_line
from hilt.files import read_object
from hilt.pipeline.duplicates.groups_on_disk import are_groups_of_an_older_rule
from hilt.pipeline.duplicates.summary import DuplicatesSummary, summarise
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.proposing.chunks import in_chunks
from hilt.pipeline.proposing.making import SHARED, ask, embed, renew
from hilt.pipeline.proposing.one_sided import OneSided, count_guesses, find_one_sided, undescribed
from hilt.pipeline.proposing.outdated import (
    OF,
    fused_of,
    reads_other_vectors,
)
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.proposing.succession import compared_labels, save_stability
from hilt.pipeline.proposing.work import PredictWork
from hilt.pipeline.runners.local import Local
from hilt.pipeline.students.base import Student
from hilt.pipeline.students.saved import read_student
from hilt.pipeline.workspace.array_making import is_made, made_before, make_array, one_by_one
from hilt.pipeline.workspace.arrays import fingerprint
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.tables import TrainingRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.proposers.base import Embedder
from hilt.types import Floats


@dataclass(frozen=True, slots=True)
class ProposeResult:
    """What `propose` did.

    Attributes:
        made: The arrays that were made now; the others were current.
        too_long: Texts of which the end was not read, for they are over the encoder's length.
        label_counts: How often each label is the likeliest in the fused proposal.
        summaries: What proposers report about their work (failures, costs), by name.
        duplicates: Groups of near-duplicates, and the labels inherited in them.
        regrouped: Whether those replaced the groups of an older hilt, which compared otherwise.
        one_sided: Proposers that give nearly all of their guesses to one label.
        undescribed: Labels of which the description says no more than the name.
    """

    items: int
    dimension: int
    proposers: tuple[str, ...]
    made: tuple[str, ...]
    too_long: int
    label_counts: dict[str, int]
    summaries: dict[str, dict[str, Any]]
    duplicates: DuplicatesSummary
    regrouped: bool
    one_sided: tuple[OneSided, ...]
    undescribed: tuple[str, ...]


def propose(workspace: Workspace, *, remake: bool = False) -> ProposeResult:
    """Embed the pool, find neighbours, let every proposer propose, and fuse.

    Results that are still valid are reused, and an interrupted run is resumed. What another
    configuration made is made again, unless that costs money or more than a few minutes.

    Args:
        workspace: The workspace.
        remake: Make that again too, whatever it costs.

    Raises:
        ModelError: If a model cannot be loaded.
        WorkspaceError: If another command is writing, or something would cost much to make anew.
    """
    with workspace.locked():
        state = LoopState.read(workspace)
        return make_proposals(state, Panel.of(state), remake=remake)


def make_proposals(
    state: LoopState, panel: Panel, *, remake: bool = False, student: Student | None = None
) -> ProposeResult:
    """Do what `propose` does, under its lock.

    Args:
        state: As it is.
        panel: Who proposes, beside the student.
        remake: Make anew what another configuration made, whatever it costs.
        student: That of the newest training, where it is open; else it is read if it is needed.
    """
    files, embedder = state.files, panel.embedder
    regrouped = are_groups_of_an_older_rule(files)
    made = renew(panel, remake=remake)
    made += [file.path.stem for file in embed(files, embedder)]
    made += [name for name, make in SHARED if make(files)]
    made += [member.name for member in panel.members if ask(panel, member)]
    training = _usable_training(panel, state.training)
    if training is not None and _propose_student(files, training, student):
        made.append("student")
    if _fuse(panel, training):
        made.append("fused")
    count_guesses(panel)
    return ProposeResult(
        items=len(files.pool),
        dimension=embedder.dimension,
        proposers=tuple(panel.names),
        made=tuple(made),
        too_long=_count_too_long(files.pool, embedder),
        label_counts=_count_likeliest(files),
        summaries={
            name: summary
            for name in panel.names
            if (summary := read_object(files.proposal_summary(name)))
        },
        duplicates=summarise(files, state.item_labels),
        regrouped=regrouped,
        one_sided=find_one_sided(files, state.item_labels),
        undescribed=undescribed(files.config.label_list),
    )


def _usable_training(panel: Panel, training: TrainingRow | None) -> TrainingRow | None:
    """Return the newest training, unless its student knows other vectors than the present ones."""
    why = "" if training is None else reads_other_vectors(panel, training)
    if training is None or not why:
        return training
    line = command_line("train", panel.files.folder)
    panel.files.progress.note(
        f"The student of cycle {training.cycle} was trained on other vectors ({why}), and is not"
        f" used until it is trained again: `{line}`."
    )
    return None


def _propose_student(files: WorkspaceFiles, training: TrainingRow, student: Student | None) -> bool:
    maker = {
        "student": [training.cycle, training.fingerprint],
        "embeddings": files.embeddings.made_of(),
    }
    proposal, layout = files.proposal("student"), files.row_layout(files.pool)
    if is_made(proposal, maker, files.progress):
        return False
    previous = None if proposal.find_fault() else proposal.maker()
    n_before = 0 if previous is None else layout.items(0, len(proposal.open())).stop
    before = compared_labels(files, proposal, n_before) if n_before else None
    if student is None:
        folder = files.saved_student(training.cycle)
        student = read_student(folder, files.device, files.trusted).student
    work = PredictWork(student, files.task, files.device)
    embeddings = files.embeddings.open() if student.reads_embeddings else None
    runner = files.runner if student.reads_contents else Local()
    made = make_array(
        proposal,
        layout.shape,
        maker,
        in_chunks(runner, work, files.pool, embeddings, layout),
        description=f"Proposing (student of cycle {training.cycle})",
        progress=files.progress,
        chunk_rows=layout.chunks(),
        old=made_before(proposal, files.pool.earlier_makers(maker)),
        layout=layout,
    )
    if before is not None and previous is not None and previous.get("student") != maker["student"]:
        after = compared_labels(files, proposal, n_before)
        save_stability(files, training.cycle, before, after)
    return made


def _fuse(panel: Panel, training: TrainingRow | None) -> bool:
    """Fuse the proposals with the student's, by the weights that cross-validation found."""
    files = panel.files
    student = None if training is None else files.rows(files.proposal("student"))
    weights, layout = fusion_weights(panel, training), files.row_layout(files.pool)

    def rows_of(start: int, stop: int) -> Floats:
        items = layout.items(start, stop)
        said = panel.rows(items)
        if student is not None:
            said = (student.take(items), *said)
        return files.task.rows.pool(said, weights).values

    return make_array(
        files.fused,
        layout.shape,
        {
            "proposals": fingerprint(panel.makers),
            "student": None if training is None else [training.cycle, training.fingerprint],
            "weights": weights.tolist(),
        },
        one_by_one(rows_of),
        description="Fusing",
        progress=files.progress,
        chunk_rows=layout.chunks(65536),
        measured={OF: fused_of(panel)},
        layout=layout,
    )


def fusion_weights(panel: Panel, training: TrainingRow | None) -> Floats:
    """Say how much each proposer counts, the student first where there is one.

    A proposer that was added after the training counts nothing until the next.
    """
    if training is None:
        return panel.trust.exponents
    fitted = training.summary.fusion
    return np.array([fitted.get(name, 0.0) for name in ("student", *panel.names)])


def _count_likeliest(files: WorkspaceFiles) -> dict[str, int]:
    """Count how often each label is the likeliest in the fused proposal, of items with a text."""
    fused, math = files.rows(files.fused), files.task.rows
    names = math.strata_names
    likeliest = np.zeros(len(names), dtype=np.int64)
    for block in blocks(len(fused)):
        likeliest += np.bincount(math.strata(fused.take(block)), minlength=len(names))
    likeliest -= np.bincount(math.strata(fused.take(files.pool.empty)), minlength=len(names))
    return dict(zip(names, likeliest.tolist(), strict=True))


def _count_too_long(pool: Pool, embedder: Embedder) -> int:
    """Count the items whose end the encoder does not read; a token has a character at least."""
    count, least = 0, embedder.max_tokens - 2 - len(getattr(embedder, "prompt", ""))
    for block in blocks(len(pool), 8192):
        long = [each for each in pool.contents(block) if pool.medium.size(each) > least]
        count += sum(tokens > embedder.max_tokens for tokens in embedder.token_counts(long))
    return count
