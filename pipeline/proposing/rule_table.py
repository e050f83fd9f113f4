"""How the rules of a workspace do: where they vote, where they disagree, how often they are right.

Source: Ratner et al. 2017, "Snorkel", for coverage, overlaps and conflicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hilt.blocks import blocks
from hilt.errors import WorkspaceError
from hilt.intervals import wilson
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.workspace import Workspace
from hilt.proposers.rules import CompiledRule, Rule, cast_votes, compile_rules
from hilt.types import Integers
from hilt.values import in_words

BLOCK_ROWS = 8192  # texts that are in memory at a time


@dataclass(frozen=True, slots=True)
class VoteCounts:
    """What the votes on some items amount to.

    Attributes:
        covered: Items on which any rule votes.
        votes: Shape (n_rules,): items on which each rule votes.
        overlaps: Shape (n_rules,): of those, on which another rule votes too.
        conflicts: Shape (n_rules,): of those, on which another rule votes for another label.
    """

    covered: int
    votes: npt.NDArray[np.int64]
    overlaps: npt.NDArray[np.int64]
    conflicts: npt.NDArray[np.int64]

    def __add__(self, other: VoteCounts) -> VoteCounts:
        return VoteCounts(
            self.covered + other.covered,
            self.votes + other.votes,
            self.overlaps + other.overlaps,
            self.conflicts + other.conflicts,
        )


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often a rule is right where it votes.

    Attributes:
        items: Labelled items on which it votes.
        accuracy: Share of them on which it votes for the label that people gave.
        low: Lower end of the 95 % interval for the accuracy (Wilson).
        high: Upper end.
    """

    items: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RuleRow:
    """How one rule does.

    Attributes:
        rule: Its name.
        votes: Items of the pool on which it votes.
        coverage: Those as a share of the pool.
        overlaps: Share of the pool on which it and another rule vote.
        conflicts: Share of the pool on which another rule votes for another label.
        people: How it does on all labels that people gave; None where it votes on none of them.
        audit: How it does on those from audit slices, which alone stand for the whole pool.
    """

    rule: str
    votes: int
    coverage: float
    overlaps: float
    conflicts: float
    people: Accuracy | None
    audit: Accuracy | None


@dataclass(frozen=True, slots=True)
class RulesTable:
    """How all the rules do.

    Attributes:
        items: Size of the pool.
        covered: Share of the pool on which any rule votes.
        human_labels: Items with a label that people gave.
        audit_labels: How many of those are from audit slices.
        rules: One row a rule, in the order of the configuration.
    """

    items: int
    covered: float
    human_labels: int
    audit_labels: int
    rules: tuple[RuleRow, ...]


def count_votes(votes: Integers) -> VoteCounts:
    """Count where rules vote, overlap and conflict.

    Args:
        votes: Shape (n, n_rules), positions of labels, -1 where a rule abstains.
    """
    voted = votes >= 0  # (n, n_rules)
    voters = voted.sum(axis=1)
    # Where two votes of an item differ, each of its votes differs from some other.
    greatest = votes.max(axis=1, initial=-1)
    agreeing = (votes == greatest[:, None]).sum(axis=1)
    return VoteCounts(
        covered=int((voters > 0).sum()),
        votes=voted.sum(axis=0),
        overlaps=voted[voters > 1].sum(axis=0),
        conflicts=voted[(voters > 0) & (agreeing < voters)].sum(axis=0),
    )


def accuracies(votes: Integers, positions: Integers) -> list[Accuracy | None]:
    """Measure each rule on labelled items.

    Args:
        votes: Shape (n, n_rules), positions of labels, -1 where a rule abstains.
        positions: Shape (n,), the positions of the true labels.

    Returns:
        One a rule; None where it votes on none of the items.

    Source: Wilson 1927 for the interval.
    """
    voted = (votes >= 0).sum(axis=0).tolist()
    right = (votes == positions[:, None]).sum(axis=0).tolist()
    return [
        _accuracy(hits, items) if items else None for hits, items in zip(right, voted, strict=True)
    ]


def _accuracy(right: int, items: int) -> Accuracy:
    return Accuracy(items, right / items, *wilson(right, items))


def rules(workspace: Workspace) -> RulesTable:
    """Apply every rule of the configuration to the whole pool; writes nothing.

    Raises:
        WorkspaceError: If the configuration has no rules.
        ConfigError: If a rule cannot be used.
    """
    compiled = _rules(workspace)
    size = len(workspace.pool)
    counts = _count_pool(workspace, compiled)
    state = LoopState.read(workspace)
    labelled = state.labelled
    positions = workspace.config.positions_of([in_words(row.value or ()) for row in labelled])
    audit = np.flatnonzero([row.audit for row in labelled])
    times = state.audit_order.count_audited(
        state.audited_items, [labelled[row].index for row in audit]
    )
    drawn = np.repeat(audit, times)  # an answer counts for each item that was drawn for it
    votes = cast_votes(compiled, workspace.pool.texts([row.index for row in labelled]))
    columns = zip(
        compiled,
        counts.votes.tolist(),
        (counts.overlaps / size).tolist(),
        (counts.conflicts / size).tolist(),
        accuracies(votes, positions),
        accuracies(votes[drawn], positions[drawn]),
        strict=True,
    )
    return RulesTable(
        items=size,
        covered=counts.covered / size,
        human_labels=len(labelled),
        audit_labels=len(audit),
        rules=tuple(
            RuleRow(rule.title, voted, voted / size, overlaps, conflicts, people, blind)
            for rule, voted, overlaps, conflicts, people, blind in columns
        ),
    )


def _rules(files: WorkspaceFiles) -> tuple[CompiledRule, ...]:
    """Compile the rules of every proposer of that kind."""
    sections = [getattr(section, "rules", ()) for section in files.config.proposers]
    if not any(sections):
        raise WorkspaceError(
            f"{files.folder} has no rules; add a proposer `kind: rules` with `rules:` to"
            f" `proposers` in {files.folder / 'hilt.yaml'}."
        )
    rules = [Rule(**rule.model_dump()) for section in sections for rule in section]
    return compile_rules(rules, files.config.label_names)


def _count_pool(files: WorkspaceFiles, rules: Sequence[CompiledRule]) -> VoteCounts:
    """Count block by block, so that the votes on the whole pool are never in memory."""
    counts = count_votes(np.empty((0, len(rules)), dtype=np.int16))
    with files.progress.task("Trying the rules", len(files.pool), "items") as advance:
        for block in blocks(len(files.pool), BLOCK_ROWS):
            votes = cast_votes(rules, files.pool.texts(block))
            counts += count_votes(votes)
            advance(len(votes))
    return counts
