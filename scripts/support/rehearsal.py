"""A workspace of made-up items that is ready for review, to rehearse and measure the screen."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hilt.files import write_json
from hilt.pipeline.workspace.arrays import ArrayFile
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.tables import BatchItemRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Candidate, Floats, Integers, Part

LABELS = ("business", "entertainment", "politics", "sport", "tech")
SPOKEN = (
    "the market rose after a strong report from the central bank while shares in two makers of"
    " chips fell as the minister said that a new law on music and film would be put before"
    " parliament in spring and the team won its third match of the season in front of a full house"
)
DIMENSION = 16
AUDITED = 7  # every so manieth item is part of the audit slice


def rehearsal_workspace(
    folder: Path,
    texts: Sequence[str],
    labels: Sequence[str] | dict[str, str] = LABELS,
    *,
    proposed: list[str] | None = None,
    audited: bool = True,
    ready: bool = False,
    **settings: Any,  # noqa: ANN401 - sections of a configuration
) -> Workspace:
    """Make a workspace whose first batch holds every text, with proposals that are drawn.

    Args:
        folder: Where to make it; the workspace is `folder / "work"`.
        texts: At least one.
        labels: Any number from two, with descriptions or without.
        proposed: The likeliest label of each text; drawn when not given.
        audited: Whether every seventh item is part of an audit slice.
        ready: Whether the pool has proposals too, so that there is something to come next.
        settings: More of the configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "pool.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *((f"i{n}", t) for n, t in enumerate(texts))])
    names = list(labels)
    described = labels if isinstance(labels, dict) else names
    config = {"pool": {"path": "pool.csv", "id": "id"}, "labels": described, **settings}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")
    workspace = init(folder / "work", folder / "config.yaml")
    rng = np.random.default_rng(workspace.config.seed)
    likeliest = workspace.config.positions_of(proposed or rng.choice(names, len(texts)).tolist())
    _write(workspace.embeddings, _embeddings(likeliest, len(names), rng))
    if ready:
        fused = np.full((len(texts), len(names)), 0.38 / (len(names) - 1))
        fused[np.arange(len(texts)), likeliest] = 0.62
        _write(workspace.fused, fused)
    workspace.database.add_batch(0, {"kind": "rehearsal"}, _rows(names, likeliest, audited, rng))
    return workspace


def made_up_texts(count: int, seed: int = 0) -> list[str]:
    """Make different texts of 20 to 60 words."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(20, 60, size=count)
    return [
        f"{number}. " + " ".join(rng.choice(SPOKEN.split(), length))
        for number, length in enumerate(lengths)
    ]


def _rows(
    labels: Sequence[str], likeliest: Integers, audited: bool, rng: np.random.Generator
) -> list[BatchItemRow]:
    second = (likeliest + rng.integers(1, len(labels), size=len(likeliest))) % len(labels)
    audit = [audited and rank % AUDITED == AUDITED - 1 for rank in range(len(likeliest))]
    return [
        BatchItemRow(
            rank=rank,
            item_index=rank,
            item_id=f"i{rank}",
            reason="audit" if audit[rank] else "uncertain",
            score=0.5,
            blind=audit[rank],
            proposal=(Candidate(Part(labels[first]), 0.62), Candidate(Part(labels[other]), 0.21)),
        )
        for rank, (first, other) in enumerate(zip(likeliest, second, strict=True))
    ]


def _embeddings(likeliest: Integers, n_labels: int, rng: np.random.Generator) -> Floats:
    """Scatter the items of each label around a point of its own."""
    centres = rng.normal(size=(n_labels, DIMENSION))
    vectors = centres[likeliest] + 0.5 * rng.normal(size=(len(likeliest), DIMENSION))
    units: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units.astype(np.float16)


def _write(file: ArrayFile, array: Floats) -> None:
    np.save(file.path, array)
    write_json(file.maker_path, {"rehearsal": True})
