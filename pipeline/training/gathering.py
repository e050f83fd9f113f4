"""What a student is to learn from, gathered from the files of a workspace."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hilt.pipeline.configuration.student import SelfTraining
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.students.base import take
from hilt.pipeline.training.training_data import Said, TrainingData
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.types import Integers, Items, Value


def gather_data(
    panel: Panel, indices: Integers, values: Sequence[Value], rng: np.random.Generator
) -> TrainingData:
    """Gather what a student learns from.

    Args:
        panel: What the proposers say.
        indices: Shape (n,), the items that have a label.
        values: Those labels.
        rng: Draws the unlabelled items.
    """
    files, labels = panel.files, panel.files.config.label_list
    unlabelled = _sample_unlabelled(files.pool, files.config.student.self_training, indices, rng)
    labelled_items, unlabelled_items = _items(files, indices), _items(files, unlabelled)
    proposed = panel.rows(unlabelled)
    targets = files.task.rows.encode(values, labelled_items.contents)

    def retaught(rows: Integers) -> Said:
        known = take(labelled_items, rows)
        return panel.retaught(known, targets.take(rows), unlabelled_items, proposed)

    return TrainingData(
        task=files.task,
        labelled=labelled_items,
        values=values,
        groups=files.groups[indices],
        proposals=panel.rows(indices),
        unlabelled=unlabelled_items,
        unlabelled_proposals=proposed,
        trust=panel.trust,
        descriptions=Items(
            [label.name for label in labels],
            [label.description for label in labels],
            panel.embedder.embed_labels([label.description for label in labels]),
        ),
        retaught=retaught if any(member.learns for member in panel.members) else None,
    )


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


def labelled_test(files: WorkspaceFiles) -> tuple[Items, list[Value]]:
    """Read the test set with its embeddings and true labels."""
    test = files.test
    assert test is not None
    items = test.items(slice(None))
    embeddings = files.required(files.test_embeddings, "propose").open()
    true = test.known_answers(files.task)
    return Items(items.ids, items.contents, embeddings), list(true.values())
