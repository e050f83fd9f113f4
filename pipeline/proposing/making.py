"""Embeddings and proposals: made where they are missing, and anew where they are outdated."""

from __future__ import annotations

from functools import partial

import numpy as np

from hilt.blocks import blocks
from hilt.files import write_json
from hilt.pipeline.duplicates.grouping import make_groups
from hilt.pipeline.duplicates.neighbour_graph import make_graph
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.proposing.chunks import in_asked_chunks, in_chunks
from hilt.pipeline.proposing.costs import check_costs, sample_contents
from hilt.pipeline.proposing.embedding import embeddings_maker, remember
from hilt.pipeline.proposing.members import Member
from hilt.pipeline.proposing.outdated import EMBEDDINGS, FUSED, GROUPS, causes, outdated
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.proposing.work import EmbedWork, ProposeWork
from hilt.pipeline.runners.local import Local
from hilt.pipeline.workspace.array_making import is_made, made_before, make_array, one_by_one
from hilt.pipeline.workspace.arrays import Array, ArrayFile
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.proposers.base import Embedder
from hilt.rows import Rows
from hilt.types import Floats, Integers

SHARED = (("neighbours", make_graph), ("near-duplicates", make_groups))


def renew(panel: Panel, *, remake: bool = False) -> list[str]:
    """Make anew what another configuration made, and say so.

    Args:
        panel: What is wanted now.
        remake: Whether that may take long or cost money.

    Returns:
        What was made, by the names of its files; what is fused from it is left.

    Raises:
        WorkspaceError: If it would cost much, and not `remake`; then nothing is made.
    """
    files, made = panel.files, []
    make_offsets(files)
    found = [each for each in outdated(panel) if each.what != FUSED]
    if found and not remake:
        check_costs(panel, found)
    for each in causes(found):
        files.progress.note(f"{each}. They are made again now.")
    what = {each.what for each in found}
    if EMBEDDINGS in what:
        made += [file.path.stem for file in embed(files, panel.embedder)]
    if what & {EMBEDDINGS, GROUPS}:
        made += [name for name, make in SHARED if make(files)]
    asked = [each.member for each in found if each.member is not None]
    return made + [member.name for member in asked if ask(panel, member)]


def make_offsets(files: WorkspaceFiles) -> None:
    """Say where the rows of each item begin, where a task has not one of them an item."""
    for pool in (files.pool, files.test):
        if pool is None or not files.is_ragged:
            continue
        maker = {"pool": pool.fingerprint, "task": files.task.name}
        file = files.offsets(pool)
        if is_made(file, maker, files.progress):
            continue
        offsets = _count_rows(files, pool)
        make_array(
            file,
            offsets.shape,
            maker,
            one_by_one(partial(_part, offsets)),
            description="Counting rows",
            progress=files.progress,
            dtype=np.int64,
        )


def _count_rows(files: WorkspaceFiles, pool: Pool) -> Integers:
    ends = [np.zeros(1, dtype=np.int64)]
    for block in blocks(len(pool)):
        offsets = files.task.rows.offsets(pool.contents(block))
        assert offsets is not None  # the task said so of no items
        ends.append(ends[-1][-1] + offsets[1:])
    return np.concatenate(ends)


def _part(array: Integers, start: int, stop: int) -> Integers:
    return array[start:stop]


def ask(panel: Panel, member: Member) -> bool:
    """Let one proposer propose for the pool and the test set, unless what it said is current."""
    files = panel.files
    if is_made(member.array, member.maker, files.progress):
        return False

    panel.teach(member)
    asked = panel.asked(member)
    old = made_before(member.array, member.grown_from)
    if old is not None:
        asked = _among_appended(files, member, old, asked)
    _estimate(files, member, asked)
    if files.test is not None and member.test_array is not None:
        known = made_before(member.test_array, member.grown_from)
        _let_propose(files, member, files.test, member.test_array, old=known)
    _let_propose(files, member, files.pool, member.array, asked=asked, old=old)
    # the pool last: its array says that all is made
    summary = member.proposer.summary()
    if summary is not None:
        write_json(files.proposal_summary(member.name), summary)
    panel.note_made(member)
    return True


def embed(files: WorkspaceFiles, embedder: Embedder) -> list[ArrayFile]:
    """Embed the pool and the test set, and return what was made."""
    made = []
    for pool, file in (
        (files.pool, files.embeddings),
        (files.test, files.test_embeddings),
    ):
        if pool is None:
            continue
        maker = embeddings_maker(files.config.embedder, embedder, pool, file)
        if make_array(
            file,
            (len(pool), embedder.dimension),
            maker,
            in_chunks(files.runner, EmbedWork(embedder), pool),
            description="Embedding" if pool is files.pool else "Embedding the test set",
            progress=files.progress,
            old=made_before(file, pool.earlier_makers(maker)),
        ):
            made.append(file)
        remember(files.config.embedder, file)
    return made


def _estimate(files: WorkspaceFiles, member: Member, asked: Integers | None) -> None:
    """Say what a proposer that costs money would take, before it is asked."""
    if member.proposer.is_priced:
        indices = np.arange(len(files.pool)) if asked is None else asked
        texts = sample_contents(files.pool, files.config.seed, indices)
        files.progress.note(f"{member.name}: {member.proposer.estimate(texts, len(indices))}")


def _let_propose(
    files: WorkspaceFiles,
    member: Member,
    pool: Pool,
    array: ArrayFile,
    *,
    asked: Integers | None = None,
    old: Array | None,
) -> None:
    """Make the array of a proposer.

    Args:
        files: The workspace.
        member: The proposer.
        pool: What it is asked about: the pool, or the test set.
        array: Where the array goes.
        asked: Ascending indices of the items that it is asked about; None for all.
        old: What it said before items were appended.
    """
    proposer, layout = member.proposer, files.row_layout(pool)
    runner = files.runner if proposer.is_portable else Local()
    vectors = files.test_embeddings if pool is files.test else files.embeddings
    embeddings = vectors.open() if proposer.reads_embeddings else None
    done = (runner, ProposeWork(proposer), pool, embeddings)
    what = f"Proposing ({member.name})"
    make_array(
        array,
        layout.shape,
        member.maker,
        in_chunks(*done, layout)
        if asked is None
        else in_asked_chunks(*done, asked=asked, layout=layout),
        description=f"{what}, test set" if pool is files.test else what,
        progress=files.progress,
        chunk_rows=layout.chunks(),
        old=old,
        layout=layout,
    )


def _among_appended(
    files: WorkspaceFiles, member: Member, old: Floats, asked: Integers | None
) -> Integers:
    """List the items after the `old` ones that a proposer is asked about, within its limit."""
    layout = files.row_layout(files.pool)
    n_old = layout.items(0, len(old)).stop
    if asked is None:
        return np.arange(n_old, layout.n_items)
    offsets = None if layout.offsets is None else layout.offsets[: n_old + 1]
    limit, answered = member.section.max_items, int(Rows(old, offsets).answered.sum())
    new = asked[asked >= n_old]
    return np.asarray(new if limit is None else new[: max(0, limit - answered)])
