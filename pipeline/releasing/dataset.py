"""The rows of a released dataset, and the columns that they have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from hilt.blocks import blocks
from hilt.media.base import Medium
from hilt.pipeline.duplicates.inheriting import carrying, inherit, settled_groups
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.releasing.columns.base import PROPOSAL, AnswerColumn, column_of
from hilt.pipeline.workspace.decisions import last_words
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.tables import DecisionRow
from hilt.rows import Rows
from hilt.types import Value

BLOCK_ROWS = 16384
SOURCES = ("person", "inherited", "oracle", "machine", "none")
NOTHING = (None, "", "none", None)  # of an item without a text


def item_columns(medium: Medium, column: AnswerColumn) -> dict[str, str]:
    """Say which column holds what of an item: the medium's own, unless a release needs the name.

    Returns:
        The names in a release, by those that the medium gives them.
    """
    taken = schema_of(column, ()).names
    return {name: f"item_{name}" if name in taken else name for name in medium.columns}


def schema_of(column: AnswerColumn, of_item: Iterable[str]) -> pa.Schema:
    """List the columns, in their order; `of_item` are those that hold what the item is."""
    return pa.schema(
        [
            ("id", pa.string()),
            *((name, pa.string()) for name in of_item),
            (column.name, column.type),
            ("given_by", pa.string()),
            ("source", pa.string()),
            ("inherited_from", pa.string()),
            ("action", pa.string()),
            ("comment", pa.string()),
            ("probability", pa.float32()),
            (PROPOSAL, column.type),
            ("audit", pa.bool_()),
            ("decisions", pa.int32()),
            ("decided_at", pa.timestamp("us", tz="UTC")),
        ]
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are of each kind.

    Attributes:
        sources: Rows by who gave the label, one entry for each of `SOURCES`.
        skipped: Rows that people skipped.
        flagged: Rows that people flagged.
        commented: Rows with a comment.
        without_text: Rows without a text, which nobody is asked about.
    """

    sources: Mapping[str, int]
    skipped: int
    flagged: int
    commented: int
    without_text: int

    @property
    def rows(self) -> int:
        """How many there are in all."""
        return sum(self.sources.values())


def features_of(column: AnswerColumn, of_item: Iterable[str]) -> Any:  # noqa: ANN401 - `datasets.Features` has no types
    """Describe the columns to the library `datasets`."""
    import datasets

    columns = {each.name: _value(datasets, each.type) for each in schema_of(column, of_item)}
    answers = dict.fromkeys((column.name, PROPOSAL), column.feature())
    return datasets.Features({**columns, **answers})


def _value(datasets: Any, kind: pa.DataType) -> Any:  # noqa: ANN401 - the library, and its type
    return datasets.Value(str(kind) if kind != pa.float32() else "float32")


def write_dataset(state: LoopState, folder: Path) -> Counts:
    """Write Parquet and CSV side by side, a block at a time.

    An answer is written alike in both. What `datasets` makes of it is said in the card.
    """
    sources: Counter[str] = Counter(dict.fromkeys(SOURCES, 0))
    actions: Counter[str] = Counter()
    commented = 0
    column = column_of(state.files.task)
    of_item = item_columns(state.files.medium, column).values()
    schema = schema_of(column, of_item)
    with (
        pq.ParquetWriter(folder / "dataset.parquet", schema) as parquet,
        pa_csv.CSVWriter(folder / "dataset.csv", schema) as table,
    ):
        for block in _blocks(state, column, schema):
            parquet.write_table(block)
            table.write_table(block)
            sources.update(block.column("source").to_pylist())
            actions.update(block.column("action").to_pylist())
            commented += len(block) - block.column("comment").null_count
    return Counts(sources, actions["skip"], actions["flag"], commented, len(state.files.pool.empty))


def _blocks(state: LoopState, column: AnswerColumn, schema: pa.Schema) -> Iterator[Any]:
    files, resolved, said = state.files, state.item_labels, state.files.task.rows
    cycle = 0 if state.training is None else state.training.cycle
    outcomes = {outcome.index: outcome for outcome in resolved}
    inherited = inherit(settled_groups(files, resolved), resolved, carrying(files))
    handed = zip(inherited.origins, inherited.values, strict=True)
    origins = dict(zip(inherited.indices.tolist(), handed, strict=True))
    told = _told(state.standing_decisions)
    empty, of_item = files.pool.empty, item_columns(files.medium, column).values()
    fused = files.rows(files.fused)
    for block in blocks(len(fused), BLOCK_ROWS):
        taken = fused.take(block)
        rows = Rows(taken.values.astype(np.float32), taken.offsets)
        values, indices = files.pool.values(block), range(block.start, block.stop)
        contents = map(files.medium.read, *values)
        without = np.isin(indices, empty)
        proposed = [said.decode(rows.of(n), content) for n, content in enumerate(contents)]
        given = [
            NOTHING
            if blank
            else _provenance(
                outcomes.get(index), origins.get(index), value, f"fused proposal of cycle {cycle}"
            )
            for index, value, blank in zip(indices, proposed, without, strict=True)
        ]
        words = [told.get(index, []) for index in indices]
        yield pa.table(
            {
                "id": files.pool.ids(block),
                **dict(zip(of_item, values, strict=True)),
                column.name: [None if v is None else column.cell(v) for v, _, _, _ in given],
                "given_by": [by for _, by, _, _ in given],
                "source": [source for _, _, source, _ in given],
                "inherited_from": [origin for _, _, _, origin in given],
                "action": [
                    _action(outcomes[index], each) if each and index in outcomes else None
                    for index, each in zip(indices, words, strict=True)
                ],
                "comment": [_comments(each) for each in words],
                "probability": pa.array(said.confidence(rows), pa.float32(), mask=without),
                PROPOSAL: pa.array(map(column.cell, proposed), column.type, mask=without),
                "audit": [index in outcomes and outcomes[index].audit for index in indices],
                "decisions": [len(each) for each in words],
                "decided_at": [each[-1].decided_at if each else None for each in words],
            },
            schema,
        )


def _provenance(
    outcome: ItemLabel | None, origin: tuple[ItemLabel, Value] | None, proposed: Value, machine: str
) -> tuple[Value | None, str, str, str | None]:
    """Say an item's answer, who or what gave it, which `source` that is, and from which item."""
    if origin is not None:
        given, value = origin
        return value, ", ".join(given.reviewers), "inherited", given.item_id
    if outcome is None:
        return proposed, machine, "machine", None
    if outcome.value is None:
        return None, "", "none", None
    source = "oracle" if outcome.machine else "person"
    return outcome.value, ", ".join(outcome.reviewers), source, None


def _told(decisions: Sequence[DecisionRow]) -> dict[int, list[DecisionRow]]:
    """Give the decisions of people, oldest first, by the index of their item."""
    told: dict[int, list[DecisionRow]] = {}
    for row in decisions:
        if row.kind != "machine":
            told.setdefault(row.item_index, []).append(row)
    return told


def _action(outcome: ItemLabel, rows: Sequence[DecisionRow]) -> str:
    """Say what people decided: a flag of one of them outweighs the skips of others.

    Labels that come to no answer, for somebody has to settle them, are labels all the same.
    """
    said = {row.action for row in last_words(rows)}
    if outcome.value is not None or "label" in said:
        return "label"
    return "flag" if "flag" in said else "skip"


def _comments(rows: Sequence[DecisionRow]) -> str | None:
    """Join what people wrote about an item; of several, with who wrote it."""
    written = [(row.reviewer, said) for row in last_words(rows) if (said := row.comment.strip())]
    if len(written) == 1:
        return written[0][1]
    return " | ".join(f"{reviewer}: {said}" for reviewer, said in written) or None
