"""A map of the pool: its items in two dimensions, for a template to draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from hilt.figures import cut, whole_percent
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.pipeline.workspace.tables import BatchItemRow
from hilt.types import Floats, Integers, Value

WIDTH, HEIGHT, BORDER = 880, 540, 14
MAX_POOL = 2500  # items of the pool that are drawn
MAX_LABELLED = 1000
MAX_COLOURS = 7  # labels with a colour of their own; more cannot be told apart
DOUBTFUL = 0.5  # margin score from which an item is drawn large
TITLE = 90  # characters of a text
OUTLIERS = 0.005  # share of the items, at each end of an axis, that may leave the drawing

Kind = Literal["sure", "doubtful", "labelled", "batch"]
KINDS = get_args(Kind)  # later ones lie on top


@dataclass(frozen=True, slots=True)
class Axes:
    """A plane in the space of the embeddings.

    Attributes:
        mean: Shape (d,), where it lies.
        directions: Shape (2, d).
        explained: Share of the variance that lies in it.
    """

    mean: Floats
    directions: Floats
    explained: float


@dataclass(frozen=True, slots=True)
class MapPoint:
    """One item.

    Attributes:
        x: In SVG units.
        y: In SVG units, downwards.
        kind: How it is drawn.
        colour: Of its label, from 0; -1 for a label without one, or one that may not be shown.
        text: What is told of it on hover.
    """

    x: float
    y: float
    kind: Kind
    colour: int
    text: str


@dataclass(frozen=True, slots=True)
class PoolMap:
    """What the map shows, in the order in which it is drawn.

    Attributes:
        points: The items.
        labels: The labels that have a colour, in its order.
        rest: What the items without a colour are, if there are any.
        items: How many items the axes were found on.
        explained: Share of the variance that the two axes hold.
        width: Of the drawing, in SVG units.
        height: Of the drawing.
    """

    points: tuple[MapPoint, ...]
    labels: tuple[str, ...]
    rest: str
    items: int
    explained: float
    width: int = WIDTH
    height: int = HEIGHT


def pool_map(
    files: WorkspaceFiles, outcomes: Sequence[ItemLabel], asked: Sequence[BatchItemRow]
) -> PoolMap | None:
    """Lay out a sample of the pool, the labelled items and the latest batch.

    Args:
        files: The pool, with a proposal for every item.
        outcomes: What was decided.
        asked: The items of the latest batch.

    Returns:
        None where all items look the same.
    """
    rng = generator(files.config.seed, Stream.MAP)
    stratum = files.task.answers.stratum
    given = {each.index: stratum(each.value or ()) for each in outcomes if each.by_people}
    batch = {row.item_index: row for row in asked}
    labelled = _draw(np.array(sorted(given.keys() - batch.keys()), np.int64), MAX_LABELLED, rng)
    with_text = np.setdiff1d(np.arange(len(files.pool)), files.pool.empty)
    pool = _draw(with_text, MAX_POOL, rng)
    embeddings = files.embeddings.open()
    sample = embeddings[pool].astype(np.float32)
    if len(sample) < 2 or not np.ptp(sample, axis=0).any():
        return None
    drawn = [
        *_proposed(files, pool[~np.isin(pool, [*given, *batch])]),
        *(_Drawn(index, "labelled", given[index], "labelled") for index in labelled.tolist()),
        *(_in_batch(row, given.get(index), stratum) for index, row in batch.items()),
    ]
    indices = np.array([each.index for each in drawn])
    axes = principal_axes(sample)
    places = fitted((embeddings[indices].astype(np.float32) - axes.mean) @ axes.directions.T)
    counts = Counter(each.label for each in drawn if each.label is not None)
    coloured = [label for label, _ in counts.most_common(MAX_COLOURS)]
    rest = {
        "another label": len(counts) > len(coloured),
        "not shown yet": any(each.label is None for each in drawn),
    }
    points = [
        MapPoint(
            x=round(float(x), 1),
            y=round(float(y), 1),
            kind=each.kind,
            colour=coloured.index(each.label) if each.label in coloured else -1,
            text=f"{each.told}: {' '.join(text.split())[:TITLE]}",
        )
        for (x, y), each, text in zip(places, drawn, files.pool.texts(indices), strict=True)
    ]
    return PoolMap(
        points=tuple(sorted(points, key=lambda point: KINDS.index(point.kind))),
        labels=tuple(coloured),
        rest=" or ".join(word for word, there in rest.items() if there),
        items=len(pool),
        explained=axes.explained,
    )


def principal_axes(rows: Floats) -> Axes:
    """Find the two directions in which rows differ most.

    Args:
        rows: Shape (n, d), n at least 2.

    Returns:
        The same axes for the same rows: of each, the largest coordinate is positive.

    Source: Pearson 1901, principal components.
    """
    mean = rows.mean(axis=0)
    _, spread, directions = np.linalg.svd(rows - mean, full_matrices=False)
    directions = directions[:2]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[[0, 1], largest])
    explained = (spread[:2] ** 2).sum() / (spread**2).sum()
    return Axes(mean, directions * signs[:, None], float(explained))


def fitted(places: Floats) -> Floats:
    """Stretch places, shape (n, 2), over the drawing; outliers go to its edge."""
    low, high = np.quantile(places, [OUTLIERS, 1 - OUTLIERS], axis=0)
    box = np.array([WIDTH, HEIGHT]) - 2 * BORDER
    centred = (places - (low + high) / 2) * box / np.maximum(high - low, 1e-9) * [1, -1]
    return np.asarray(np.clip(centred, -box / 2, box / 2) + np.array([WIDTH, HEIGHT]) / 2)


@dataclass(frozen=True, slots=True)
class _Drawn:
    index: int
    kind: Kind
    label: str | None
    told: str


def _proposed(files: WorkspaceFiles, indices: Integers) -> Iterator[_Drawn]:
    """Draw items that nobody was asked about by what is proposed for them."""
    rows, math = files.rows(files.fused).take(indices), files.task.rows
    doubts, sure = math.doubt(rows, "margin"), math.confidence(rows)
    for index, doubt, position, share in zip(
        indices.tolist(), doubts, math.strata(rows), sure, strict=True
    ):
        label = math.strata_names[position]
        kind: Kind = "doubtful" if doubt >= DOUBTFUL else "sure"
        yield _Drawn(index, kind, label, f"{cut(label)} ({whole_percent(float(share))})")


def _in_batch(row: BatchItemRow, given: str | None, stratum: Callable[[Value], str]) -> _Drawn:
    """Draw an item of the batch; of a blind one, the proposal is not shown before it is decided."""
    told = f"{row.rank + 1} in the batch, {row.reason}"
    waits = row.blind or row.reason == "recheck"
    label = given if given is not None and row.reason != "recheck" else None
    if label is None and not waits and row.proposed is not None:
        label = stratum(row.proposed)
    return _Drawn(row.item_index, "batch", label, told if label is None else f"{told}, {label}")


def _draw(indices: Integers, most: int, rng: np.random.Generator) -> Integers:
    if len(indices) <= most:
        return indices
    return np.sort(rng.choice(indices, most, replace=False))
