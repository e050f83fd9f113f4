"""What a student is to learn from, gathered from the files of a workspace."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hilt.pipeline.configuration.student import SelfTraining
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.students.base import take
from hilt.pipeline.training.training_data import TrainingData
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.rows import Rows
from hilt.types import Floats, Integers, Items, Part


def gather_data(
    panel: Panel, indices: Integers, positions: Integers, rng: np.random.Generator
) -> TrainingData:
    """Gather what a student learns from.

    Args:
        panel: What the proposers say.
        indices: Shape (n,), the items that have a label.
        positions: Shape (n,), the positions of those labels.
        rng: Draws the unlabelled items.
    """
    files, labels = panel.files, panel.files.config.label_list
    unlabelled = _sample_unlabelled(files.pool, files.config.student.self_training, indices, rng)
    labelled_items, unlabelled_items = _items(files, indices), _items(files, unlabelled)
    proposed = panel.rows(unlabelled)
    values = [(Part(labels[position].name),) for position in positions]
    targets = files.task.rows.encode(values, labelled_items.contents)

    def retaught(rows: Integers) -> Floats:
        known = take(labelled_items, rows)
        return stacked(panel.retaught(known, targets.take(rows), unlabelled_items, proposed))

    return TrainingData(
        labelled=labelled_items,
        positions=positions,
        groups=files.groups[indices],
        proposals=stacked(panel.rows(indices)),
        unlabelled=unlabelled_items,
        unlabelled_proposals=stacked(proposed),
        trust=panel.trust,
        descriptions=Items(
            [label.name for label in labels],
            [label.description for label in labels],
            panel.embedder.embed_labels([label.description for label in labels]),
        ),
        retaught=retaught if any(member.learns for member in panel.members) else None,
    )


def stacked(said: Sequence[Rows]) -> Floats:
    """Put what proposers say into one array, shape (p, n_rows, n_columns)."""
    return np.stack([rows.values for rows in said])


def _items(files: WorkspaceFiles, indices: Integers) -> Items:
    items = files.pool.items(indices)
    embeddings = files.embeddings.open()[indices].astype(np.float32)
    return Items(items.ids, items.contents, embeddings)


def _sample_unlabelled(
    pool: Pool, settings: SelfTraining, labelled: Integers, rng: np.random.Generator
) -> Integers:
    """Draw as many other items as self-training can use."""
    wanted = int(np.ceil(settings.max_items / settings.share))
    useless = np.union1d(labelled, pool.empty)
    drawn = rng.choice(len(pool), min(len(pool), wanted + len(useless)), replace=False)
    return np.sort(drawn[~np.isin(drawn, useless)][:wanted])


def labelled_test(files: WorkspaceFiles) -> tuple[Items, Integers]:
    """Read the test set with its embeddings and true labels."""
    test = files.test
    assert test is not None
    items = test.items(slice(None))
    embeddings = files.required(files.test_embeddings, "propose").open()
    return Items(items.ids, items.contents, embeddings), test.answer_key(files.config.label_names)
