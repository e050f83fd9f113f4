"""What goes into a batch: audit items, checks, rechecks, and what the selector picks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from hilt.pipeline.duplicates.inheriting import one_of_each, settled_groups
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.committee import Committee
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.selecting.auditing import audit_draw, audit_size, decided_items
from hilt.pipeline.selecting.choosing import choose
from hilt.pipeline.selecting.evidence import explain
from hilt.pipeline.selecting.item_seconds import ASSUMED_SECONDS, measured_cost, predicted_seconds
from hilt.pipeline.selecting.loop_signals import read_signals
from hilt.pipeline.selecting.rechecks import NO_DOUBTS, Suspects, find_doubts, with_rechecks
from hilt.pipeline.selecting.remaining import items_to_check, undecided_items
from hilt.pipeline.selecting.shortage import why_short
from hilt.pipeline.selecting.time_budget import fit_to_budget
from hilt.pipeline.workspace.audit_slice import AuditDraw, AuditSlice
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.pipeline.workspace.tables import BatchItemRow
from hilt.rows import Rows
from hilt.selectors.arithmetic.distinct import pick_distinct
from hilt.types import Explanation, Floats, Integers, Reason, Selection, SelectionView
from hilt.values import rounded

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
    """A try at a batch of some size.

    Attributes:
        wanted: How many items it should have.
        drawn: What is drawn for the audit.
        parts: What is asked of that, what is checked, and what the selector picked.
    """

    wanted: int
    drawn: AuditSlice
    parts: list[Selection]

    def lacking(self, kept: int) -> int:
        """Say how many items a batch by time should have; 0 where time is all that is short."""
        return self.wanted if kept == sum(map(len, self.parts)) else 0


@dataclass(frozen=True)
class _Choice:
    """What a batch is chosen from.

    Attributes:
        state: As it is before the batch.
        waiting: Items that people are given already.
        view: The pool as the selector sees it.
        audit: What may be drawn for the audit.
        kept: The items that are kept for it.
        doubts: What may be asked again.
        number: Of the batch.
    """

    state: LoopState
    waiting: Sequence[int]
    view: SelectionView
    audit: AuditDraw
    kept: Integers
    doubts: Suspects
    number: int

    def pick(self, size: int) -> _Pick:
        """Draw for the audit, check, and let the selector fill the rest."""
        config = self.state.files.config
        rng = generator(config.seed, Stream.BATCH, self.number)
        drawn = self.audit.slice(audit_size(self.state, size))
        audit = drawn.asked
        beside = replace(self.view, taken=audit.indices)
        passed_over = np.append(self.kept, np.array(self.waiting, dtype=np.int64))
        checks = _checks(self.state, beside, passed_over, size)
        beside = replace(self.view, taken=np.concatenate([audit.indices, checks.indices]))
        chosen = choose(config.selector.model_dump(), beside, size - len(audit) - len(checks), rng)
        most = int(config.batch.recheck * size)
        return _Pick(
            size, drawn, [audit, checks, with_rechecks(chosen, self.view, self.doubts, most)]
        )

    def pick_the_last(self, size: int) -> AuditSlice:
        """Draw what is kept for the audit, when nothing else is left, whatever its share."""
        undecided = replace(self.audit, free=undecided_items(self.state, self.waiting))
        drawn = undecided.slice(size)
        if not len(drawn.asked) and audit_size(self.state, size):
            drawn = self.audit.slice(self.audit.reach())
        return drawn


def compose(
    state: LoopState, panel: Panel, size: int, minutes: float | None, waiting: Sequence[int]
) -> Composed:
    """Draw what is asked blind, let the selector fill the rest, and shuffle the two together.

    Args:
        state: As it is.
        panel: What the proposers say.
        size: How many items, unless there are `minutes`.
        minutes: What they may take people, altogether.
        waiting: Items that people are given already, and that are not picked again.

    Raises:
        WorkspaceError: If there are no proposals yet.
    """
    files, committee = state.files, Committee(panel)
    cost = measured_cost(state)
    seconds = predicted_seconds(files, cost, committee)
    choice = _choice(state, waiting, committee, seconds)
    if seconds is None:
        typical = ASSUMED_SECONDS if cost is None else cost.mean_seconds
        seconds = np.broadcast_to(np.float32(typical), len(files.pool))
    pick, parts = _fitting(choice, size, minutes, seconds)
    drawn = pick.drawn
    if not sum(map(len, parts)):
        drawn = choice.pick_the_last(size)
        parts = [drawn.asked]
    if not sum(map(len, parts)):
        return Composed([])
    rng = generator(files.config.seed, Stream.ORDER, choice.number)
    picked = _mixed(parts, rng)
    indices = np.array([index for index, _, _ in picked])
    view, doubts = choice.view, choice.doubts
    taken = view.proposal.take(indices)
    proposed = doubts.replacing(Rows(taken.values.astype(np.float32), taken.offsets), indices)
    known = None if cost is None else seconds[indices]
    whys = explain(view, indices, proposed, committee, doubts, known, rng)
    shortage = why_short(
        size if minutes is None else pick.lacking(len(indices)),
        indices,
        view.groups,
        decided=np.array(decided_items(state.item_labels), dtype=np.int64),
        waiting=np.array(waiting, dtype=np.int64),
        kept=choice.kept,
        empty=files.pool.empty,
        minutes=None if minutes is None else (float(seconds[indices].sum()) / 60, minutes),
    )
    rows = _rows(files, picked, proposed, whys)
    copies = choice.audit.beside(drawn, len(parts[0]))
    return Composed(rows, "".join(part.note for part in parts), shortage, copies)


def _choice(
    state: LoopState, waiting: Sequence[int], committee: Committee, seconds: Floats | None
) -> _Choice:
    """Look at what there is to choose from."""
    batch, doubts = state.files.config.batch, NO_DOUBTS
    kept = np.flatnonzero(state.audit_order.numbers < batch.audit)
    if batch.recheck:
        again = [each for each in state.item_labels if each.index not in set(waiting)]
        doubts = find_doubts(state, again, committee)
    return _Choice(
        state,
        waiting,
        view=_view(state, kept, waiting, committee, seconds),
        audit=audit_draw(state, waiting),
        kept=kept,
        doubts=doubts,
        number=len(state.batches) + 1,
    )


def _fitting(
    choice: _Choice, size: int, minutes: float | None, seconds: Floats
) -> tuple[_Pick, Sequence[Selection]]:
    """Pick so many items, or as many as fit into the minutes; with what is kept of the last try."""
    if minutes is None:
        pick = choice.pick(size)
        return pick, pick.parts
    picks: list[_Pick] = []

    def parts(size: int) -> list[Selection]:
        picks.append(choice.pick(size))
        return picks[-1].parts

    kept = fit_to_budget(parts, seconds, 60 * minutes)
    return picks[-1], kept


def _view(
    state: LoopState,
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
    files, config = state.files, state.files.config
    labelled = [each for each in state.item_labels if each.value is not None]
    groups = settled_groups(files, state.item_labels)
    free = undecided_items(state, waiting)
    free[kept] = False
    return SelectionView(
        embeddings=files.required(files.embeddings, "propose").open(),
        proposal=files.rows(files.fused),
        task=files.task,
        candidates=one_of_each(groups, free),
        labelled=np.array([each.index for each in labelled], dtype=np.int64),
        labels=_strata(files, labelled),
        groups=groups,
        near_duplicate=config.batch.near_duplicate,
        seconds=seconds,
        committee=committee,
        graph=files.graph,
        signals=read_signals(files, state.training),
    )


def _strata(files: WorkspaceFiles, labelled: Sequence[ItemLabel]) -> Integers:
    """Number the kind of answer of each labelled item, as `SelectionView.strata` does."""
    contents = files.pool.contents([each.index for each in labelled])
    values = [each.value or () for each in labelled]
    return files.task.rows.strata(files.task.rows.encode(values, contents).rows)


def _checks(state: LoopState, view: SelectionView, passed_over: Integers, size: int) -> Selection:
    """Take some of the items that inherit a label, to see how often it is right.

    Those that are kept for the audit are passed over, for there they tell the same, and those that
    people are waiting for.
    """
    share = state.files.config.duplicates.audited
    waiting = items_to_check(state, view.groups)
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
    files: WorkspaceFiles,
    picked: Sequence[Picked],
    proposed: Rows,
    whys: Sequence[Explanation],
) -> list[BatchItemRow]:
    """Write down a batch, with the proposals as they stand."""
    ids = files.pool.ids([index for index, _, _ in picked])
    contents = files.pool.contents([index for index, _, _ in picked])
    said, count = files.task.rows, files.config.batch.candidates
    return [
        BatchItemRow(
            rank=rank,
            item_index=index,
            item_id=item_id,
            reason=reason,
            score=round(score, 6),
            blind=reason in BLIND,
            proposal=rounded(said.candidates(proposed.of(rank), content, count)),
            answer=said.decode(proposed.of(rank), content),
            why=asdict(why),
        )
        for rank, ((index, score, reason), item_id, content, why) in enumerate(
            zip(picked, ids, contents, whys, strict=True)
        )
    ]
