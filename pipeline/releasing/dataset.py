"""The rows of a released dataset, and the columns that they have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from hilt.blocks import blocks
from hilt.pipeline.duplicates.inheriting import inherit, settled_groups
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.workspace.decisions import last_words
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.tables import DecisionRow

BLOCK_ROWS = 16384
SOURCES = ("person", "inherited", "oracle", "machine", "none")
LABELS = ("label", "proposal")  # the columns that hold labels
WITHOUT_TEXT = (None, "", "none", None)
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("label", pa.string()),
        ("given_by", pa.string()),
        ("source", pa.string()),
        ("inherited_from", pa.string()),
        ("action", pa.string()),
        ("comment", pa.string()),
        ("probability", pa.float32()),
        ("proposal", pa.string()),
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


def features_of(labels: Sequence[str]) -> Any:  # noqa: ANN401 - `datasets.Features` has no types
    """Describe the columns to the library `datasets`, which makes labels of names with these."""
    import datasets

    names = datasets.ClassLabel(names=list(labels))
    columns = {column.name: _value(datasets, column.type) for column in SCHEMA}
    return datasets.Features({**columns, **dict.fromkeys(LABELS, names)})


def _value(datasets: Any, kind: pa.DataType) -> Any:  # noqa: ANN401 - the library, and its type
    return datasets.Value(str(kind) if kind != pa.float32() else "float32")


def write_dataset(state: LoopState, folder: Path) -> Counts:
    """Write Parquet and CSV side by side, a block at a time.

    A label is its name in both. That `datasets` loads names as classes is said in the card.
    """
    sources: Counter[str] = Counter(dict.fromkeys(SOURCES, 0))
    actions: Counter[str] = Counter()
    commented = 0
    cycle = 0 if state.training is None else state.training.cycle
    with (
        pq.ParquetWriter(folder / "dataset.parquet", SCHEMA) as parquet,
        pa_csv.CSVWriter(folder / "dataset.csv", SCHEMA) as table,
    ):
        for block in _blocks(state, f"fused proposal of cycle {cycle}"):
            parquet.write_table(block)
            table.write_table(block)
            sources.update(block.column("source").to_pylist())
            actions.update(block.column("action").to_pylist())
            commented += len(block) - block.column("comment").null_count
    return Counts(sources, actions["skip"], actions["flag"], commented, len(state.files.pool.empty))


def _blocks(state: LoopState, machine: str) -> Iterator[Any]:
    files, resolved = state.files, state.item_labels
    outcomes = {outcome.index: outcome for outcome in resolved}
    inherited = inherit(settled_groups(files, resolved), resolved)
    origins = dict(zip(inherited.indices.tolist(), inherited.origins, strict=True))
    told = _told(state.standing_decisions)
    empty = files.pool.empty
    fused = files.fused.open()
    names = np.array(files.config.label_names, dtype=object)
    for block in blocks(len(fused), BLOCK_ROWS):
        probabilities = fused[block].astype(np.float32)
        proposed = probabilities.argmax(axis=1)
        indices = range(block.start, block.stop)
        without = np.isin(indices, empty)
        rows = [
            WITHOUT_TEXT
            if without[index - block.start]
            else _provenance(outcomes.get(index), origins.get(index), names[place], machine)
            for index, place in zip(indices, proposed, strict=True)
        ]
        said = [told.get(index, []) for index in indices]
        yield pa.table(
            {
                "id": files.pool.ids(block),
                "text": files.pool.texts(block),
                "label": [label for label, _, _, _ in rows],
                "given_by": [by for _, by, _, _ in rows],
                "source": [source for _, _, source, _ in rows],
                "inherited_from": [origin for _, _, _, origin in rows],
                "action": [
                    _action(outcomes[index], each) if each and index in outcomes else None
                    for index, each in zip(indices, said, strict=True)
                ],
                "comment": [_comments(each) for each in said],
                "probability": pa.array(probabilities.max(axis=1), mask=without),
                "proposal": pa.array(names[proposed], mask=without),
                "audit": [index in outcomes and outcomes[index].audit for index in indices],
                "decisions": [len(each) for each in said],
                "decided_at": [each[-1].decided_at if each else None for each in said],
            },
            SCHEMA,
        )


def _provenance(
    outcome: ItemLabel | None, origin: ItemLabel | None, proposed: str, machine: str
) -> tuple[str | None, str, str, str | None]:
    """Say an item's label, who or what gave it, which `source` that is, and whose label it was."""
    if origin is not None:
        return origin.label, ", ".join(origin.reviewers), "inherited", origin.item_id
    if outcome is None:
        return proposed, machine, "machine", None
    if outcome.label is None:
        return None, "", "none", None
    source = "oracle" if outcome.machine else "person"
    return outcome.label, ", ".join(outcome.reviewers), source, None


def _told(decisions: Sequence[DecisionRow]) -> dict[int, list[DecisionRow]]:
    """Give the decisions of people, oldest first, by the index of their item."""
    told: dict[int, list[DecisionRow]] = {}
    for row in decisions:
        if row.kind != "machine":
            told.setdefault(row.item_index, []).append(row)
    return told


def _action(outcome: ItemLabel, rows: Sequence[DecisionRow]) -> str:
    """Say what people decided: a flag of one of them outweighs the skips of others."""
    if outcome.label is not None:
        return "label"
    return "flag" if "flag" in {row.action for row in last_words(rows)} else "skip"


def _comments(rows: Sequence[DecisionRow]) -> str | None:
    """Join what people wrote about an item; of several, with who wrote it."""
    written = [(row.reviewer, said) for row in last_words(rows) if (said := row.comment.strip())]
    if len(written) == 1:
        return written[0][1]
    return " | ".join(f"{reviewer}: {said}" for reviewer, said in written) or None
