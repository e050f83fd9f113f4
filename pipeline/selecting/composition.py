"""What goes into a batch: audit items, checks, rechecks, and what the selector picks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from hilt.pipeline.duplicates.inheriting import one_of_each, settled_groups
from hilt.pipeline.proposing.committee import Committee
from hilt.pipeline.selecting.auditing import audit_draw, audit_size, decided_items
from hilt.pipeline.selecting.choosing import choose
from hilt.pipeline.selecting.evidence import explain
from hilt.pipeline.selecting.item_seconds import ASSUMED_SECONDS, measured_cost, predicted_seconds
from hilt.pipeline.selecting.loop_signals import read_signals
from hilt.pipeline.selecting.rechecks import NO_DOUBTS, find_doubts, with_rechecks
from hilt.pipeline.selecting.remaining import items_to_check, undecided_items
from hilt.pipeline.selecting.shortage import why_short
from hilt.pipeline.selecting.time_budget import fit_to_budget
from hilt.pipeline.workspace.audit_slice import AuditSlice
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.pipeline.workspace.tables import BatchItemRow
from hilt.pipeline.workspace.trainings import latest_training
from hilt.pipeline.workspace.workspace import Workspace
from hilt.selectors.arithmetic.distinct import pick_distinct
from hilt.types import Explanation, Floats, Integers, Reason, Selection, SelectionView

BLIND: tuple[Reason, ...] = ("audit", "inherited")
UNCHOSEN: tuple[Reason, ...] = (*BLIND, "recheck")  # spread over the batch by chance

Picked = tuple[int, float, Reason]  # an index, a score and a reason


@dataclass(frozen=True, slots=True)
class Composed:
    """What goes into a batch.

    Attributes:
        rows: The items in their order; none where nothing is left to ask about.
        note: How the selector went about it.
        shortage: Why there are fewer than were asked for, where there are.
        copies: Items that are drawn for the audit and not asked, for they have the text of others.
    """

    rows: list[BatchItemRow]
    note: str = ""
    shortage: str = ""
    copies: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Pick:
    """A try at a batch of some size: what is drawn for the audit, and how many items there are."""

    wanted: int
    drawn: AuditSlice
    found: int

    def lacking(self, kept: int) -> int:
        """Say how many items a batch by time should have; 0 where time is all that is short."""
        return self.wanted if kept == self.found else 0


def compose(
    workspace: Workspace, size: int, minutes: float | None, waiting: Sequence[int]
) -> Composed:
    """Draw what is asked blind, let the selector fill the rest, and shuffle the two together.

    Args:
        workspace: Where proposals stand.
        size: How many items, unless there are `minutes`.
        minutes: What they may take people, altogether.
        waiting: Items that people are given already, and that are not picked again.

    Raises:
        WorkspaceError: If there are no proposals yet.
    """
    config = workspace.config
    outcomes, committee = workspace.item_labels(), Committee(workspace)
    number = len(workspace.database.batch_numbers()) + 1
    numbers = workspace.audit_order.numbers
    kept = np.flatnonzero(numbers < config.batch.audit)
    cost = measured_cost(workspace)
    seconds = predicted_seconds(workspace, cost, committee)
    view = _view(workspace, outcomes, kept, waiting, committee, seconds)
    audit_of_pool = audit_draw(workspace, numbers, outcomes, waiting)
    picks: list[_Pick] = []
    passed_over = np.append(kept, np.array(waiting, dtype=np.int64))
    doubts = NO_DOUBTS
    if config.batch.recheck:
        again = [outcome for outcome in outcomes if outcome.index not in set(waiting)]
        doubts = find_doubts(workspace, again, committee)

    def pick(size: int) -> list[Selection]:
        rng = generator(config.seed, Stream.BATCH, number)
        drawn = audit_of_pool.slice(audit_size(workspace, size))
        audit = drawn.asked
        beside = replace(view, taken=audit.indices)
        checks = _checks(workspace, beside, outcomes, passed_over, size)
        beside = replace(view, taken=np.concatenate([audit.indices, checks.indices]))
        chosen = choose(config.selector.model_dump(), beside, size - len(audit) - len(checks), rng)
        most = int(config.batch.recheck * size)
        parts = [audit, checks, with_rechecks(chosen, view, doubts, most)]
        picks.append(_Pick(size, drawn, sum(map(len, parts))))
        return parts

    if seconds is None:
        typical = ASSUMED_SECONDS if cost is None else cost.mean_seconds
        seconds = np.broadcast_to(np.float32(typical), len(workspace.pool))
    parts = pick(size) if minutes is None else fit_to_budget(pick, seconds, 60 * minutes)
    drawn = picks[-1].drawn
    if not sum(map(len, parts)):  # what is kept for the audit comes last, whatever its share
        undecided = replace(audit_of_pool, free=undecided_items(workspace, outcomes, waiting))
        drawn = undecided.slice(size)
        if not len(drawn.asked) and audit_size(workspace, size):
            drawn = audit_of_pool.slice(audit_of_pool.reach())
        parts = [drawn.asked]
    if not sum(map(len, parts)):
        return Composed([])
    rng = generator(config.seed, Stream.ORDER, number)
    picked = _mixed(parts, rng)
    indices = np.array([index for index, _, _ in picked])
    proposed = doubts.replacing(np.asarray(view.probabilities[indices], dtype=np.float32), indices)
    known = None if cost is None else seconds[indices]
    whys = explain(view, indices, proposed, committee, config.label_names, doubts, known, rng)
    shortage = why_short(
        size if minutes is None else picks[-1].lacking(len(indices)),
        indices,
        view.groups,
        decided=np.array(decided_items(outcomes), dtype=np.int64),
        waiting=np.array(waiting, dtype=np.int64),
        kept=kept,
        empty=workspace.pool.empty,
        minutes=None if minutes is None else (float(seconds[indices].sum()) / 60, minutes),
    )
    rows = _rows(workspace, picked, proposed, whys)
    copies = audit_of_pool.beside(drawn, len(parts[0]))
    return Composed(rows, "".join(part.note for part in parts), shortage, copies)


def _view(
    workspace: Workspace,
    outcomes: Sequence[ItemLabel],
    kept: Integers,
    waiting: Sequence[int],
    committee: Committee,
    seconds: Floats | None,
) -> SelectionView:
    """Describe the pool to the selector.

    Candidates are items with a text of which no near-duplicate is decided or waiting for people,
    and that are not kept for the audit, one of each group. The first items of the audit's order
    are kept, as large a share of the pool as of a batch: so the audit measures the same whatever
    the selector does.
    """
    config = workspace.config
    labelled = [outcome for outcome in outcomes if outcome.label is not None]
    groups = settled_groups(workspace, outcomes)
    free = undecided_items(workspace, outcomes, waiting)
    free[kept] = False
    return SelectionView(
        embeddings=workspace.required(workspace.embeddings, "propose").open(),
        probabilities=workspace.required(workspace.fused, "propose").open(),
        candidates=one_of_each(groups, free),
        labelled=np.array([outcome.index for outcome in labelled], dtype=np.int64),
        labels=config.positions_of([str(outcome.label) for outcome in labelled]),
        groups=groups,
        near_duplicate=config.batch.near_duplicate,
        seconds=seconds,
        committee=committee,
        graph=workspace.graph,
        signals=read_signals(workspace, latest_training(workspace)),
    )


def _checks(
    workspace: Workspace,
    view: SelectionView,
    outcomes: Sequence[ItemLabel],
    passed_over: Integers,
    size: int,
) -> Selection:
    """Take some of the items that inherit a label, to see how often it is right.

    Those that are kept for the audit are passed over, for there they tell the same, and those that
    people are waiting for.
    """
    share = workspace.config.duplicates.audited
    waiting = items_to_check(workspace, view.groups, outcomes)
    waiting = waiting[~np.isin(waiting, passed_over)]
    count = min(size - len(view.taken), int(np.ceil(share * size)))
    indices = pick_distinct(view, [waiting], count) if count else waiting[:0]
    reason: Reason = "inherited"
    return Selection(indices, np.zeros(len(indices)), (reason,) * len(indices))


def _mixed(parts: Sequence[Selection], rng: np.random.Generator) -> list[Picked]:
    """Spread what the selector did not choose over the batch at random, its own order kept."""
    picked: list[Picked] = [
        (int(index), float(score), reason)
        for part in parts
        for index, score, reason in zip(part.indices, part.scores, part.reasons, strict=True)
    ]
    others = [entry for entry in picked if entry[2] in UNCHOSEN]
    mixed = [entry for entry in picked if entry[2] not in UNCHOSEN]
    places = np.sort(rng.choice(len(picked), len(others), replace=False))
    for place, which in zip(places, rng.permutation(len(others)), strict=True):
        mixed.insert(int(place), others[which])
    return mixed


def _rows(
    workspace: Workspace,
    picked: Sequence[Picked],
    probabilities: Floats,
    whys: Sequence[Explanation],
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
            blind=reason in BLIND,
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
    most = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    return [
        [[names[place], round(float(row[place]), 4)] for place in order]
        for row, order in zip(probabilities, most, strict=True)
    ]
