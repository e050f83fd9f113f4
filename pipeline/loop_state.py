"""What a command knows of a workspace: its files, and its state as it was read, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from hilt.errors import WorkspaceError
from hilt.pipeline.workspace.audit_order import AuditOrder
from hilt.pipeline.workspace.batch_items import batch_item, last_chain
from hilt.pipeline.workspace.connection import DAMAGED, shown
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.labels import ItemLabel, not_withdrawn, resolve_all
from hilt.pipeline.workspace.tables import BatchItemRow, BatchRow, DecisionRow, TrainingRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Batch, BatchItem


@dataclass(frozen=True)
class LoopState:
    """What a command knows of a workspace; a public function reads it and passes it on, or parts.

    What the command itself adds comes in by `after_training` and `after_batch`.

    Attributes:
        files: The configuration, the pool and the arrays.
        database_name: Where the rows are from, for messages.
        decisions: All of them, in the order in which they were made.
        batches: Oldest first.
        batch_items: Of all batches, in order.
        trainings: Oldest first.
    """

    files: WorkspaceFiles
    database_name: str
    decisions: tuple[DecisionRow, ...]
    batches: tuple[BatchRow, ...]
    batch_items: tuple[BatchItemRow, ...]
    trainings: tuple[TrainingRow, ...]

    @classmethod
    def read(cls, workspace: Workspace) -> LoopState:
        """Read all of it.

        Raises:
            WorkspaceError: If the database cannot be read.
        """
        return cls.of(workspace, workspace.database)

    @classmethod
    def of(cls, files: WorkspaceFiles, database: Database) -> LoopState:
        """Do the same, of the two parts of a workspace."""
        return cls(files, shown(database.url), *database.history())

    def after_decisions(self, rows: Sequence[DecisionRow]) -> LoopState:
        """Give the state after decisions that were stored."""
        return replace(self, decisions=(*self.decisions, *rows))

    def after_training(self, row: TrainingRow) -> LoopState:
        """Give the state after a training that was stored."""
        return replace(self, trainings=(*self.trainings, row))

    def after_batch(self, row: BatchRow, items: Sequence[BatchItemRow]) -> LoopState:
        """Give the state after a batch that was stored."""
        return replace(self, batches=(*self.batches, row), batch_items=(*self.batch_items, *items))

    # -- decisions ----------------------------------------------------------------------------

    @property
    def last_decision(self) -> int:
        """The number of the newest decision, 0 where there is none."""
        return self.decisions[-1].id if self.decisions else 0

    @cached_property
    def standing_decisions(self) -> list[DecisionRow]:
        """The decisions that nobody took back."""
        return not_withdrawn(self.decisions)

    @cached_property
    def resolved(self) -> list[ItemLabel]:
        """What the decisions about each item come to, in the order of the pool."""
        return resolve_all(self.decisions, self.files.task.answers)

    @cached_property
    def item_labels(self) -> list[ItemLabel]:
        """The same of every item that has a text.

        What was said of an item without a text, as older versions asked for, stays stored and
        counts for nothing. Answers of an audit count as such for the items that it stands for.

        Raises:
            WorkspaceError: If a label is none of the configuration's.
        """
        self._check_known(self._with_text)
        return [
            replace(each, audit=False) if each.audit and each.index >= self.audited_items else each
            for each in self._with_text
        ]

    @property
    def labelled(self) -> list[ItemLabel]:
        """The items that people have labelled."""
        return [each for each in self.item_labels if each.by_people]

    @cached_property
    def _with_text(self) -> list[ItemLabel]:
        empty = set(self.files.pool.empty.tolist())
        return [each for each in self.resolved if each.index not in empty]

    def _check_known(self, labels: Sequence[ItemLabel]) -> None:
        names = set(self.files.task.labels)
        for each in labels:
            strange = next((part for part in each.value or () if part.label not in names), None)
            if strange is not None:
                raise WorkspaceError(
                    f"{self.database_name} has the label {strange.label!r} for the item"
                    f" {self.files.pool.ids([each.index])[0]!r}, but there is no such label;"
                    f" {DAMAGED}."
                )

    # -- the audit ----------------------------------------------------------------------------

    @cached_property
    def audit_order(self) -> AuditOrder:
        """The order in which the audit takes the items of the pool."""
        selectors = [batch.selector for batch in self.batches]
        return AuditOrder(self.files.pool, self.files.config.seed, selectors)

    @cached_property
    def audited_items(self) -> int:
        """For how many of the items, from the first, the audit stands."""
        return self.audit_order.audited_items(self._with_text)

    # -- batches ------------------------------------------------------------------------------

    def batch(self, number: int) -> Batch:
        """Give a batch as it was made.

        Raises:
            WorkspaceError: If there is none of that number.
        """
        row = next((each for each in self.batches if each.number == number), None)
        if row is None:
            raise WorkspaceError(
                f"{self.files.folder} has no batch {number}; it has {len(self.batches)}."
            )
        rows = self.items_of(number)
        shown = self.files.pool.shown([each.item_index for each in rows])
        note = row.selector.get("note", "")
        items = (batch_item(each, seen, note) for each, seen in zip(rows, shown, strict=True))
        return Batch(number, tuple(items), note, row.selector.get("shortage", ""))

    @property
    def last_batch(self) -> int:
        """The number of the last batch, 0 before the first."""
        return self.batches[-1].number if self.batches else 0

    def items_of(self, batch: int) -> list[BatchItemRow]:
        """Give the items of a batch as they were stored, in their order."""
        return [each for each in self.batch_items if each.batch == batch]

    def undecided(self, batch: Batch) -> Batch:
        """Give the part of a batch that nobody has decided.

        A blind item waits for a person, and a recheck for somebody who decides it once more. An
        item without a text, which only an older version put there, waits for nobody.
        """
        machine = {each.index: each.machine for each in self.resolved}
        decided = {
            row.item_index
            for row in self.standing_decisions
            if row.batch == batch.number and row.kind != "machine"
        }

        def is_open(item: BatchItem) -> bool:
            if not item.text.strip():
                return False
            if item.reason == "recheck":
                return item.index not in decided
            return item.index not in machine or (item.blind and machine[item.index])

        return replace(batch, items=tuple(filter(is_open, batch.items)))

    @cached_property
    def open_batch(self) -> Batch | None:
        """The last batch, while any of its items is undecided."""
        if not self.batches:
            return None
        batch = self.batch(self.last_batch)
        return batch if self.undecided(batch).items else None

    @property
    def open_items(self) -> int:
        """How many items of the last batch are undecided."""
        return 0 if self.open_batch is None else len(self.undecided(self.open_batch))

    @property
    def chain(self) -> list[int]:
        """The numbers of the last batch and of those that it extends, oldest first."""
        return last_chain(self.batches)

    # -- trainings ----------------------------------------------------------------------------

    @property
    def training(self) -> TrainingRow | None:
        """The newest training, None before the first."""
        return self.trainings[-1] if self.trainings else None
