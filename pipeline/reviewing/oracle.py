"""A proposer answers what is not contested, so that people get what is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from hilt.distributions import NO_LABEL, clear_label
from hilt.errors import ConfigError, UnknownNameError, WorkspaceError
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.committee import Committee
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.reviewing.next_steps import next_step
from hilt.pipeline.reviewing.recording import Source, take
from hilt.pipeline.training.readiness import up_to_date
from hilt.pipeline.workspace.workspace import Workspace
from hilt.registry import nearest
from hilt.review.base import MACHINE, Answered
from hilt.rows import Rows
from hilt.tasks.base import RowMath
from hilt.types import BatchItem, Decision, Integers, Value
from hilt.values import in_words

FUSED = "fused"
SOURCE = "oracle"

Verdict = Literal["answer", "unsure", "disagree", "silent"]


@dataclass(frozen=True, slots=True)
class OracleAnswer:
    """What a proposer says about an item.

    Attributes:
        label: The answer in words.
        probability: The fused one of that answer.
        value: The answer.
    """

    item_id: str
    text: str
    label: str
    probability: float
    value: Value


@dataclass(frozen=True, slots=True)
class OracleResult:
    """What a proposer answered, and what it left to people.

    Attributes:
        batch: Number of the open batch.
        reviewer: The name under which the answers are stored.
        stored: Whether they were; not in a dry run.
        answered: Items that got an answer.
        contested: Items that are left to people, by why: `unsure` (the fused probability is too
            low), `disagree` (a proposer has another label, or the person who is asked again has) or
            `silent` (the one that was to answer abstained).
        blind: Undecided items that measure, so that only people may answer them.
        open_items: Undecided items of the batch, once the answers are stored.
        label_counts: The answers by label.
        answers: One for each item, in the order of the batch.
    """

    batch: int
    reviewer: str
    stored: bool
    answered: int
    contested: dict[str, int]
    blind: int
    open_items: int
    label_counts: dict[str, int]
    answers: tuple[OracleAnswer, ...]


def oracle(
    workspace: Workspace, *, proposer: str = FUSED, least: float = 0.95, dry_run: bool = False
) -> OracleResult:
    """Label the undecided items of the open batch on which all models agree.

    An item is not contested when the fused proposal is sure of its label, and every proposer that
    does not abstain, the student included, has the same one. A proposer whose likeliest labels are
    equal abstains. A blind item is always left to people. The answers are stored as those of a
    machine: they measure nothing, and a person's decision sets them aside.

    Args:
        workspace: Where the batch is.
        proposer: Which proposer answers: `fused`, `student`, or a proposer's name.
        least: Minimum fused probability of a label, in (0, 1].
        dry_run: Return the answers without storing them.

    Raises:
        ConfigError: If `least` is not a probability.
        UnknownNameError: If there is no such proposer.
        WorkspaceError: If there is no open batch, or another command is writing.
    """
    if not 0 < least <= 1:
        raise ConfigError(f"least is {least}; it must be a probability above 0 and at most 1.")
    with workspace.locked():
        state = LoopState.read(workspace)
        batch = state.open_batch
        if batch is None:
            raise WorkspaceError(f"{workspace.folder} has no open batch; run `{next_step(state)}`.")
        panel = Panel.of(state)
        state = up_to_date(state, panel, workspace.database)
        waiting = state.undecided(batch).items
        items = [item for item in waiting if not item.blind]
        indices = np.array([item.index for item in items], dtype=np.int64)
        proposals = _proposals(state, panel, indices)
        if proposer not in proposals:
            raise UnknownNameError(
                f"Unknown proposer {proposer!r}.{nearest(proposer, proposals)}"
                f" Available: {', '.join(proposals)}."
            )
        math = workspace.task.rows
        told = _verdicts(math, proposals, proposer, least)
        verdicts = [
            "disagree" if item.reason == "recheck" else verdict
            for item, verdict in zip(items, told, strict=True)
        ]
        fused, contents = proposals[FUSED], workspace.pool.contents(indices)
        sure = math.confidence(fused)
        answers = tuple(
            _answer(item, math.decode(fused.of(place), contents[place]), float(sure[place]))
            for place, (item, verdict) in enumerate(zip(items, verdicts, strict=True))
            if verdict == "answer"
        )
        reviewer = MACHINE + proposer
        if not dry_run:
            said = [Answered(_decision(each, reviewer, batch.number)) for each in answers]
            take(state, workspace.database, said, Source())
        return OracleResult(
            batch=batch.number,
            reviewer=reviewer,
            stored=not dry_run,
            answered=len(answers),
            contested={why: verdicts.count(why) for why in ("unsure", "disagree", "silent")},
            blind=len(waiting) - len(items),
            open_items=len(waiting) - len(answers),
            label_counts=dict(Counter(answer.label for answer in answers).most_common()),
            answers=answers,
        )


def _proposals(state: LoopState, panel: Panel, indices: Integers) -> dict[str, Rows]:
    """Read what everyone says of some items, by name."""
    fused, committee = state.files.rows(state.files.fused).take(indices), Committee(panel)
    said = dict(zip(committee.names, committee(indices), strict=True))
    return {FUSED: Rows(np.asarray(fused.values, dtype=np.float32), fused.offsets), **said}


def _verdicts(
    math: RowMath, proposals: Mapping[str, Rows], proposer: str, least: float
) -> list[Verdict]:
    """Say of each item whether the proposer may answer it, or why not."""
    fused = proposals[FUSED]
    clear = {name: clear_label(math.units(rows).values) for name, rows in proposals.items()}
    units = math.units(fused)

    def somewhere(found: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Tell of each item whether it is so in any of its units."""
        return np.asarray(units.sums(found) > 0)

    others = [(each != NO_LABEL) & (each != clear[FUSED]) for each in clear.values()]
    return [
        _verdict(not unsure, not differs, silent)
        for unsure, differs, silent in zip(
            somewhere(clear[FUSED] == NO_LABEL) | (math.confidence(fused) < least),
            somewhere(np.any(others, axis=0)),
            somewhere(clear[proposer] == NO_LABEL),
            strict=True,
        )
    ]


def _verdict(sure: bool, agreed: bool, silent: bool) -> Verdict:
    if not sure:
        return "unsure"
    if not agreed:
        return "disagree"
    return "silent" if silent else "answer"


def _answer(item: BatchItem, value: Value, probability: float) -> OracleAnswer:
    return OracleAnswer(item.item_id, item.text, in_words(value), round(probability, 4), value)


def _decision(answer: OracleAnswer, reviewer: str, batch: int) -> Decision:
    return Decision(
        item_id=answer.item_id,
        action="label",
        value=answer.value,
        reviewer=reviewer,
        batch=batch,
        comment=f"fused probability {answer.probability:.4f}",
        source=SOURCE,
        kind="machine",
    )
