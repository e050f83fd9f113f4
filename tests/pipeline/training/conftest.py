from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from hilt.pipeline.proposing.fusion import Trust
from hilt.pipeline.training.training_data import TrainingData
from hilt.rows import Rows
from hilt.types import Floats, Integers, Items
from tests.one_label import single, values_of

MakeProblem = Callable[..., TrainingData]
WORDS = ("goal match team", "vote law state", "bank share price")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Models as small as these train fifty times slower when processes compete for threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_problem() -> MakeProblem:
    return gaussian_problem


def gaussian_problem(
    n: int,
    *,
    n_labels: int = 3,
    unlabelled: int = 200,
    noise: float = 0.15,
    proposal_accuracy: float = 0.7,
    positions: Integers | None = None,
    seed: int = 0,
) -> TrainingData:
    """Make blobs on the unit sphere, around the descriptions of the labels.

    Args:
        n: Labelled items.
        n_labels: Labels, dealt in turn.
        unlabelled: Unlabelled items.
        noise: Standard deviation of each of 16 coordinates.
        proposal_accuracy: How often the proposal is right.
        positions: What people say instead of the truth.
        seed: Of the draw.
    """
    rng = np.random.default_rng(seed)
    centres = np.eye(16, dtype=np.float32)[:n_labels]
    true, others = np.arange(n) % n_labels, np.arange(unlabelled) % n_labels

    def draw(which: Integers, prefix: str) -> Items:
        rows = centres[which] + noise * rng.normal(size=(len(which), 16))
        unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        names = [f"{prefix}{place}" for place in range(len(which))]
        texts = [
            WORDS[position % len(WORDS)].split()[place % 3] for place, position in enumerate(which)
        ]
        return Items(names, texts, unit)

    def propose(which: Integers) -> Floats:
        right = rng.random(len(which)) < proposal_accuracy
        said = np.where(right, which, rng.integers(n_labels, size=len(which)))
        return np.where(np.eye(n_labels, dtype=bool)[said], 0.8, 0.2 / (n_labels - 1)).astype("f4")

    return TrainingData(
        task=single(n_labels),
        labelled=draw(true, "l"),
        values=values_of(true if positions is None else positions),
        groups=np.arange(n),
        proposals=[Rows(propose(true))],
        unlabelled=draw(others, "u"),
        unlabelled_proposals=[Rows(propose(others))],
        trust=Trust(np.ones(1), np.ones(1)),
        descriptions=Items(
            [f"label {place}" for place in range(n_labels)], list(WORDS[:n_labels]), centres
        ),
    )
