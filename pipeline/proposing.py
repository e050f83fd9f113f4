"""Embeddings and proposals for the whole pool, and the one distribution fused from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from hilt.files import read_object, write_json
from hilt.pipeline.arrays import ArrayFile, blocks, fingerprint
from hilt.pipeline.calibration import pool_logarithmically
from hilt.pipeline.duplicates.grouping import are_groups_of_an_older_rule, make_groups
from hilt.pipeline.duplicates.summary import Summary, summarise
from hilt.pipeline.embedding import embeddings_maker, load_embedder, remember
from hilt.pipeline.graph import make_graph
from hilt.pipeline.one_sided import OneSided, count_guesses, find_one_sided, undescribed
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.proposals import Named, Proposals
from hilt.pipeline.random_streams import Stream, generator
from hilt.pipeline.runner import RowsOf, is_made, made_before, make_array
from hilt.pipeline.signals import compared_labels, save_agreement
from hilt.pipeline.students.base import predict_labels
from hilt.pipeline.students.saved import read_student
from hilt.pipeline.tables import TrainingRow
from hilt.pipeline.workspace import Workspace
from hilt.proposers.base import Embedder
from hilt.types import Floats, Integers, Items

ESTIMATE_ITEMS = 200


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
    duplicates: Summary
    regrouped: bool
    one_sided: tuple[OneSided, ...]
    undescribed: tuple[str, ...]


def propose(workspace: Workspace) -> ProposeResult:
    """Embed the pool, find neighbours, let every proposer propose, and fuse.

    Results that are still valid are reused, and an interrupted run is resumed.

    Raises:
        ModelError: If a model cannot be loaded.
        WorkspaceError: If another command is writing.
    """
    with workspace.locked():
        embedder = load_embedder(workspace)
        made = [file.path.stem for file in _embed(workspace, embedder)]
        if make_graph(workspace):
            made.append("neighbours")
        regrouped = are_groups_of_an_older_rule(workspace)
        if make_groups(workspace):
            made.append("near-duplicates")
        proposals = Proposals(workspace, embedder)
        made += [member.name for member in proposals.members if ask(proposals, member)]
        training = latest_training(workspace)
        if training is not None and _propose_student(workspace, training):
            made.append("student")
        if _fuse(workspace, proposals, training):
            made.append("fused")
        count_guesses(workspace, proposals)
        likeliest = np.zeros(len(workspace.config.labels), dtype=np.int64)
        fused = workspace.fused.open()
        for block in blocks(len(fused)):
            likeliest += np.bincount(fused[block].argmax(axis=1), minlength=len(likeliest))
        without = fused[workspace.pool.empty].argmax(axis=1)
        likeliest -= np.bincount(without, minlength=len(likeliest))
        outcomes = workspace.outcomes()
        return ProposeResult(
            items=len(workspace.pool),
            dimension=embedder.dimension,
            proposers=tuple(proposals.names),
            made=tuple(made),
            too_long=_count_too_long(workspace.pool, embedder),
            label_counts=dict(zip(workspace.config.label_names, likeliest.tolist(), strict=True)),
            summaries={name: told for name in proposals.names if (told := _told(workspace, name))},
            duplicates=summarise(workspace, outcomes),
            regrouped=regrouped,
            one_sided=find_one_sided(workspace, outcomes),
            undescribed=undescribed(workspace),
        )


def ask(proposals: Proposals, member: Named) -> bool:
    """Let one proposer propose for the pool and the test set, unless what it said is current."""
    workspace = proposals.workspace
    if is_made(member.array, member.maker, workspace.progress):
        return False

    def make(file: ArrayFile, n_items: int, rows_of: RowsOf, description: str) -> None:
        shape = (n_items, len(workspace.config.labels))
        progress = workspace.progress
        make_array(
            file,
            shape,
            member.maker,
            rows_of,
            description=description,
            progress=progress,
            before=before,
        )

    proposals.teach(member)
    before = workspace.pool.earlier_makers(member.maker)
    asked = proposals.asked(member)
    old = made_before(member.array, before)
    if old is not None:
        asked = _among_appended(workspace.pool, member, old, asked)
    _estimate(workspace, member, asked)
    what = f"Proposing ({member.name})"
    if workspace.test is not None and member.test_array is not None:
        embeddings = workspace.test_embeddings.open()
        rows_of = partial(_proposed_rows, workspace.test, embeddings, member, None)
        make(member.test_array, len(workspace.test), rows_of, f"{what}, test set")
    rows_of = partial(_proposed_rows, workspace.pool, workspace.embeddings.open(), member, asked)
    make(member.array, len(workspace.pool), rows_of, what)  # last: it says that all is made
    summary = member.proposer.summary()
    if summary is not None:
        write_json(workspace.proposal_summary(member.name), summary)
    return True


def latest_training(workspace: Workspace) -> TrainingRow | None:
    """Return the newest training, or None before the first."""
    trainings = workspace.store.trainings()
    return trainings[-1] if trainings else None


def _embed(workspace: Workspace, embedder: Embedder) -> list[ArrayFile]:
    """Embed the pool and the test set, and return what was made."""
    made = []
    for pool, file in (
        (workspace.pool, workspace.embeddings),
        (workspace.test, workspace.test_embeddings),
    ):
        if pool is None:
            continue
        maker = embeddings_maker(workspace, embedder, pool, file)
        if make_array(
            file,
            (len(pool), embedder.dimension),
            maker,
            partial(_embed_rows, pool, embedder),
            description="Embedding" if pool is workspace.pool else "Embedding the test set",
            progress=workspace.progress,
            before=pool.earlier_makers(maker),
        ):
            made.append(file)
        remember(workspace, file)
    return made


def _embed_rows(pool: Pool, embedder: Embedder, start: int, stop: int) -> Floats:
    return embedder.embed(pool.texts(slice(start, stop)))


def _estimate(workspace: Workspace, member: Named, asked: Integers | None) -> None:
    """Say what a proposer that costs money would take, before it is asked."""
    if member.proposer.is_priced:
        indices = np.arange(len(workspace.pool)) if asked is None else asked
        rng = generator(workspace.config.seed, Stream.ESTIMATE)
        sample = rng.choice(indices, min(ESTIMATE_ITEMS, len(indices)), replace=False)
        texts = workspace.pool.texts(np.sort(sample))
        workspace.progress.note(f"{member.name}: {member.proposer.estimate(texts, len(indices))}")


def _proposed_rows(
    pool: Pool,
    embeddings: Floats,
    member: Named,
    asked: Integers | None,
    start: int,
    stop: int,
) -> Floats:
    """Ask for items start to stop; those that are not `asked` about are left as abstentions."""
    indices: Integers = np.arange(start, stop)
    if asked is not None:
        indices = asked[(asked >= start) & (asked < stop)]
    rows = np.full((stop - start, member.proposer.n_labels), np.nan, dtype=np.float32)
    if len(indices):
        items = pool.items(indices)
        given = Items(items.ids, items.texts, embeddings[indices])
        rows[indices - start] = member.proposer.propose(given)
    return rows


def _among_appended(pool: Pool, member: Named, old: Floats, asked: Integers | None) -> Integers:
    """List the items after the `old` ones that a proposer is asked about, within its limit."""
    if asked is None:
        return np.arange(len(old), len(pool))
    limit, said = member.section.max_items, int((~np.isnan(old[:, 0])).sum())
    new = asked[asked >= len(old)]
    return new if limit is None else new[: max(0, limit - said)]


def _told(workspace: Workspace, name: str) -> dict[str, Any]:
    """Read what a proposer reported about its work."""
    return read_object(workspace.proposal_summary(name)) or {}


def _propose_student(workspace: Workspace, training: TrainingRow) -> bool:
    embeddings = workspace.embeddings.open()
    maker = {
        "student": [training.cycle, training.fingerprint],
        "embeddings": workspace.embeddings.made_of(),
    }
    student = read_student(workspace.saved_student(training.cycle), workspace.device).student
    proposal = workspace.proposal("student")
    previous = None if proposal.find_fault() else proposal.maker()
    n_before = 0 if previous is None else len(proposal.open())
    before = compared_labels(workspace, proposal, n_before) if n_before else None

    def rows_of(start: int, stop: int) -> Floats:
        items = workspace.pool.items(slice(start, stop))
        given = Items(items.ids, items.texts, embeddings[start:stop])
        return predict_labels(student, given, len(workspace.config.labels))

    made = make_array(
        proposal,
        (len(workspace.pool), len(workspace.config.labels)),
        maker,
        rows_of,
        description=f"Proposing (student of cycle {training.cycle})",
        progress=workspace.progress,
        before=workspace.pool.earlier_makers(maker),
    )
    if before is not None and previous is not None and previous.get("student") != maker["student"]:
        after = compared_labels(workspace, proposal, n_before)
        save_agreement(workspace, training.cycle, before, after)
    return made


def _fuse(workspace: Workspace, proposals: Proposals, training: TrainingRow | None) -> bool:
    """Fuse the proposals with the student's, by the weights that cross-validation found."""
    student = None if training is None else workspace.proposal("student").open()
    weights = fusion_weights(proposals, training)

    def rows_of(start: int, stop: int) -> Floats:
        parts = [*proposals.rows(slice(start, stop))]
        if student is not None:
            parts.insert(0, student[start:stop])
        return pool_logarithmically(parts, weights)

    return make_array(
        workspace.fused,
        (len(workspace.pool), len(workspace.config.labels)),
        {
            "proposals": fingerprint(proposals.makers),
            "student": None if training is None else [training.cycle, training.fingerprint],
            "weights": weights.tolist(),
        },
        rows_of,
        description="Fusing",
        progress=workspace.progress,
        chunk_rows=65536,
    )


def fusion_weights(proposals: Proposals, training: TrainingRow | None) -> Floats:
    """Say how much each proposer counts, the student first where there is one.

    A proposer that was added after the training counts nothing until the next.
    """
    if training is None:
        return proposals.agreement
    fitted: dict[str, float] = training.summary["fusion"]
    return np.array([fitted.get(name, 0.0) for name in ("student", *proposals.names)])


def _count_too_long(pool: Pool, embedder: Embedder) -> int:
    """Count the texts whose end the encoder does not read; a token has a character at least."""
    count, least = 0, embedder.max_tokens - 2 - len(getattr(embedder, "prompt", ""))
    for block in blocks(len(pool), 8192):
        long = [text for text in pool.texts(block) if len(text) > least]
        count += sum(tokens > embedder.max_tokens for tokens in embedder.token_counts(long))
    return count
