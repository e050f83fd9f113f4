"""The next batch for people: an audit slice, and what the selector picks beside it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace

import numpy as np

from hilt.errors import ConfigError, WorkspaceError
from hilt.pipeline.committee import Committee
from hilt.pipeline.filling import fill
from hilt.pipeline.outcomes import Outcome, resolve_all, standing
from hilt.pipeline.predicted_seconds import ASSUMED_SECONDS, measured_cost, predicted_seconds
from hilt.pipeline.proposing import latest_training
from hilt.pipeline.rechecks import NO_DOUBTS, find_doubts, with_rechecks
from hilt.pipeline.signals import read_signals
from hilt.pipeline.tables import BatchItemRow
from hilt.pipeline.why import explain
from hilt.pipeline.workspace import Workspace
from hilt.selectors.base import SELECTORS, Selector
from hilt.selectors.duplicates import pick_distinct
from hilt.types import (
    Batch,
    BatchItem,
    Candidate,
    Floats,
    Integers,
    Reason,
    Selection,
    SelectionView,
    Why,
)

AUDIT_STREAM = 1  # the order of the audit is drawn from (seed, 1)
BATCH_STREAM = 2  # what is in batch b from (seed, 2, b)
ORDER_STREAM = 12  # its order, and the items that explain it, from (seed, 12, b)

Picked = tuple[int, float, Reason]  # an index, a score and a reason


def select(
    workspace: Workspace,
    size: int | None = None,
    *,
    minutes: float | None = None,
    anew: bool = False,
    extend: bool = False,
) -> Batch:
    """Pick the next batch, or return the open one while somebody may still be reviewing it.

    Args:
        workspace: Where proposals stand.
        size: Items in the batch. Without it and `minutes`, what the configuration says.
        minutes: Instead of a size: the time that people have, which the batch fills.
        anew: Make a new batch even when the last one has undecided items; those go back to
            the pool.
        extend: Make a new batch beside the open ones, whose undecided items people keep.

    Raises:
        ConfigError: If there are both a size and minutes.
        WorkspaceError: If there are no proposals yet, or nothing is left to ask about.
    """
    if size is not None and minutes is not None:
        raise ConfigError(
            f"A batch cannot have {size} items and take {minutes:g} minutes; give one of the two."
        )
    section = workspace.config.batch
    if size is None and minutes is None:
        minutes = section.minutes
    with workspace.locked():
        batch = open_batch(workspace)
        if batch is not None and not anew and not extend:
            return batch
        open_ = workspace.store.open_batches() if extend else []
        waiting = [row.item_index for each in open_ for row in workspace.store.batch_items(each)]
        rows = _pick(workspace, size or section.size, minutes, waiting)
        training = latest_training(workspace)
        number = workspace.store.add_batch(
            cycle=0 if training is None else training.cycle,
            selector=workspace.config.selector.model_dump(),
            items=rows,
            extends=open_[-1] if open_ else None,
        )
        return read_batch(workspace, number)


def open_batch(workspace: Workspace) -> Batch | None:
    """Return the last batch while any of its items is undecided."""
    numbers = workspace.store.batch_numbers()
    if not numbers:
        return None
    batch = read_batch(workspace, numbers[-1])
    return batch if undecided(workspace, batch).items else None


def undecided(workspace: Workspace, batch: Batch) -> Batch:
    """Return the part of a batch that nobody has decided.

    A blind item waits for a person, and a recheck for somebody who decides it once more.
    """
    decisions = workspace.store.decisions()
    machine = {outcome.index: outcome.machine for outcome in resolve_all(decisions)}
    decided = {
        row.item_index
        for row in standing(decisions)
        if row.batch == batch.number and not row.machine
    }

    def is_open(item: BatchItem) -> bool:
        if item.reason == "recheck":
            return item.index not in decided
        return item.index not in machine or (item.blind and machine[item.index])

    return replace(batch, items=tuple(filter(is_open, batch.items)))


def read_batch(workspace: Workspace, number: int) -> Batch:
    """Read a batch as it was made.

    Raises:
        WorkspaceError: If there is none of that number.
    """
    rows = workspace.store.batch_items(number)
    if not rows:
        raise WorkspaceError(
            f"{workspace.folder} has no batch {number};"
            f" it has {len(workspace.store.batch_numbers())}."
        )
    texts = workspace.pool.texts([row.item_index for row in rows])
    return Batch(number, tuple(_item(row, text) for row, text in zip(rows, texts, strict=True)))


def _item(row: BatchItemRow, text: str) -> BatchItem:
    return BatchItem(
        rank=row.rank,
        index=row.item_index,
        item_id=row.item_id,
        text=text,
        reason=row.reason,  # type: ignore[arg-type]  # only `_pick` writes it
        score=row.score,
        blind=row.blind,
        proposal=tuple(Candidate(label, probability) for label, probability in row.proposal),
        why=None if row.why is None else Why(**row.why),
    )


def _pick(
    workspace: Workspace, size: int, minutes: float | None, waiting: Sequence[int]
) -> list[BatchItemRow]:
    """Draw the audit slice, let the selector fill the rest, and shuffle the two together.

    Items that people are `waiting` for are not picked again.
    """
    config = workspace.config
    outcomes, committee = workspace.store.outcomes(), Committee(workspace)
    number = len(workspace.store.batch_numbers()) + 1
    audit_order = np.random.default_rng([config.seed, AUDIT_STREAM]).permutation(
        len(workspace.pool)
    )
    cost = measured_cost(workspace)
    seconds = predicted_seconds(workspace, cost, committee)
    view = _view(workspace, outcomes, audit_order, waiting)
    view = replace(view, seconds=seconds, committee=committee)
    decided = {outcome.index for outcome in outcomes if not outcome.machine} | set(waiting)
    doubts = NO_DOUBTS
    if config.batch.recheck:
        again = [outcome for outcome in outcomes if outcome.index not in set(waiting)]
        doubts = find_doubts(workspace, again, committee)

    def compose(size: int) -> list[Selection]:
        rng = np.random.default_rng([config.seed, BATCH_STREAM, number])
        audit = _audit(view, audit_order, decided, _audit_size(workspace, size))
        chosen = _chosen(workspace, replace(view, taken=audit.indices), size - len(audit), rng)
        most = int(config.batch.recheck * size)
        return [audit, with_rechecks(chosen, view, doubts, most)]

    typical = ASSUMED_SECONDS if cost is None else cost.mean_seconds
    if seconds is None:
        seconds = np.broadcast_to(np.float32(typical), len(workspace.pool))
    if minutes is None:
        parts = compose(size)
    else:
        parts = fill(compose, seconds, lambda n: _audit_size(workspace, n), 60 * minutes)
    if not sum(map(len, parts)):
        raise WorkspaceError(
            "Nothing is left to ask about: every item is decided, or the same as one that is."
        )
    rng = np.random.default_rng([config.seed, ORDER_STREAM, number])
    picked = _mixed(parts, rng)
    indices = np.array([index for index, _, _ in picked])
    proposed = doubts.replacing(np.asarray(view.probabilities[indices], dtype=np.float32), indices)
    known = None if cost is None else seconds[indices]
    whys = explain(view, indices, proposed, committee, config.label_names, doubts, known, rng)
    return _rows(workspace, picked, proposed, whys)


def _chosen(
    workspace: Workspace, view: SelectionView, count: int, rng: np.random.Generator
) -> Selection:
    """Let the selector pick."""
    if not count or not len(view.candidates):
        return Selection(np.empty(0, dtype=np.int64), np.empty(0), ())
    section = workspace.config.selector
    settings = getattr(section, "settings", None) or section.model_dump(exclude={"kind"})
    selector: Selector = SELECTORS.load(section.kind)(**settings)
    return selector.select(view, count, rng)


def _view(
    workspace: Workspace,
    outcomes: Sequence[Outcome],
    audit_order: Integers,
    waiting: Sequence[int],
) -> SelectionView:
    """Describe the pool to the selector.

    Candidates are the items that are neither decided nor waiting for people, not the same as one
    that is, and not kept for the audit. The first items of the audit's order are kept, as large a
    share of the pool as of a batch: so what the selector does never changes what the audit
    measures.
    """
    config, pool = workspace.config, workspace.pool
    labelled = [outcome for outcome in outcomes if outcome.label is not None]
    asked = [*(outcome.index for outcome in outcomes), *waiting]
    free = ~np.isin(pool.groups, pool.groups[asked])
    free[audit_order[: int(np.ceil(config.batch.audit * len(pool)))]] = False
    return SelectionView(
        embeddings=workspace.required(workspace.embeddings, "propose").open(),
        probabilities=workspace.required(workspace.fused, "propose").open(),
        candidates=np.flatnonzero(free),
        labelled=np.array([outcome.index for outcome in labelled], dtype=np.int64),
        labels=config.positions_of([str(outcome.label) for outcome in labelled]),
        groups=pool.groups,
        near_duplicate=config.batch.near_duplicate,
        signals=read_signals(workspace, latest_training(workspace)),
    )


def _audit_size(workspace: Workspace, size: int) -> int:
    """Say how many audit items a batch should have, so that the share is kept over all batches."""
    earlier = workspace.store.batch_items()
    audited = sum(row.reason == "audit" for row in earlier)
    wanted = round(workspace.config.batch.audit * (len(earlier) + size))
    return int(np.clip(wanted - audited, 0, size))


def _audit(view: SelectionView, order: Integers, taken: Collection[int], count: int) -> Selection:
    """Take the next items in the order that was drawn once for the whole pool, but for `taken`."""
    waiting = (
        np.array([index for index in order[start : start + 1024] if index not in taken], np.int64)
        for start in range(0, len(order), 1024)
    )
    indices = pick_distinct(view, waiting, count) if count else np.empty(0, dtype=np.int64)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    reason: Reason = "audit"
    return Selection(indices, place[indices] / len(order), (reason,) * len(indices))


def _mixed(parts: Sequence[Selection], rng: np.random.Generator) -> list[Picked]:
    """Spread what the selector did not choose over the batch at random, its own order kept."""
    picked: list[Picked] = [
        (int(index), float(score), reason)
        for part in parts
        for index, score, reason in zip(part.indices, part.scores, part.reasons, strict=True)
    ]
    others = [entry for entry in picked if entry[2] in ("audit", "recheck")]
    mixed = [entry for entry in picked if entry[2] not in ("audit", "recheck")]
    places = np.sort(rng.choice(len(picked), len(others), replace=False))
    for place, which in zip(places, rng.permutation(len(others)), strict=True):
        mixed.insert(int(place), others[which])
    return mixed


def _rows(
    workspace: Workspace, picked: Sequence[Picked], probabilities: Floats, whys: Sequence[Why]
) -> list[BatchItemRow]:
    """Write down a batch, with the proposals as they stand."""
    ids = workspace.pool.ids([index for index, _, _ in picked])
    proposals = _likeliest(workspace, probabilities)
    return [
        BatchItemRow(
            rank=rank,
            item_index=index,
            item_id=item_id,
            reason=reason,
            score=round(score, 6),
            blind=reason == "audit",
            proposal=proposal,
            why=asdict(why),
        )
        for rank, ((index, score, reason), item_id, proposal, why) in enumerate(
            zip(picked, ids, proposals, whys, strict=True)
        )
    ]


def _likeliest(workspace: Workspace, probabilities: Floats) -> list[list[list[object]]]:
    """List the likeliest labels of each row with their probabilities, as JSON can hold them."""
    names, count = workspace.config.label_names, workspace.config.batch.candidates
    most = np.argsort(-probabilities.astype(np.float32), axis=1, kind="stable")[:, :count]
    return [
        [[names[place], round(float(row[place]), 4)] for place in order]
        for row, order in zip(
            probabilities, most[:, : workspace.config.batch.candidates], strict=True
        )
    ]
