from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file
from sklearn.linear_model import LogisticRegression

from hilt.pipeline.students.base import Examples, join, take
from hilt.pipeline.students.linear import LinearStudent
from hilt.rows import Rows
from hilt.tasks.base import Targets
from hilt.tasks.categorical import one_hot
from hilt.types import Floats, Integers, Items


def items(embeddings: Floats) -> Items:
    names = [str(place) for place in range(len(embeddings))]
    return Items(names, names, embeddings)


def examples(embeddings: Floats, targets: Floats, weights: Floats | None = None) -> Examples:
    counts = np.ones(len(embeddings), dtype=np.float32) if weights is None else weights
    return Examples(items(embeddings), Targets(Rows(targets), counts))


def blobs(n: int, n_labels: int = 3, d: int = 8, seed: int = 0) -> tuple[Floats, Integers]:
    rng = np.random.default_rng(seed)
    positions = np.arange(n) % n_labels
    rows = rng.normal(size=(n_labels, d))[positions] + 1.5 * rng.normal(size=(n, d))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit.astype(np.float32), positions


@pytest.mark.parametrize("d", [8, 200])  # fewer and more than there are rows
@pytest.mark.parametrize("regularisation", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("n_labels", [3, 6])
def test_probabilities_agree_with_scikit_learn(
    n_labels: int, regularisation: float, d: int
) -> None:
    rows, positions = blobs(90, n_labels, d)
    other = LogisticRegression(C=regularisation, tol=1e-8, max_iter=5000).fit(rows, positions)

    student = LinearStudent.fit(
        examples(rows, one_hot(positions, n_labels).rows.values), regularisation
    )

    new = blobs(50, n_labels, d, seed=1)[0]
    for unit in (rows, new):
        difference = student.predict_proba(items(unit)) - other.predict_proba(unit)
        assert np.abs(difference).max() < 1e-2


def test_two_labels_work() -> None:
    rows, positions = blobs(60, 2)

    student = LinearStudent.fit(examples(rows, one_hot(positions, 2).rows.values), 10)

    assert (student.predict_proba(items(rows)).argmax(axis=1) == positions).mean() > 0.8


def test_a_soft_target_is_both_of_its_labels() -> None:
    """An item that is 70 % one label and 30 % the other, against 7 and 3 copies of it."""
    rows = blobs(3)[0][[0, 1]]
    soft = np.array([[0.7, 0.3], [0.2, 0.8]], dtype=np.float32)
    copies = np.repeat(rows, 10, axis=0)
    hard = one_hot(np.array([0] * 7 + [1] * 3 + [0] * 2 + [1] * 8), 2).rows.values

    student = LinearStudent.fit(examples(rows, soft, np.full(2, 10, dtype=np.float32)), 1)
    copied = LinearStudent.fit(examples(copies, hard), 1)

    assert student.predict_proba(items(rows)) == pytest.approx(
        copied.predict_proba(items(rows)), abs=1e-2
    )


@settings(max_examples=20)
@given(st.lists(st.integers(1, 4), min_size=12, max_size=12))
def test_a_weight_counts_like_repetition(counts: list[int]) -> None:
    rows, positions = blobs(12)
    targets = one_hot(positions, 3).rows.values

    weighted = LinearStudent.fit(examples(rows, targets, np.array(counts, dtype=np.float32)), 1)
    repeated = LinearStudent.fit(
        examples(np.repeat(rows, counts, axis=0), np.repeat(targets, counts, axis=0)), 1
    )

    assert weighted.predict_proba(items(rows)) == pytest.approx(
        repeated.predict_proba(items(rows)), abs=1e-2
    )


def test_where_it_starts_does_not_matter() -> None:
    rows, positions = blobs(60)
    good = examples(rows, one_hot(positions, 3).rows.values)
    wrong = LinearStudent.fit(examples(rows, one_hot((positions + 1) % 3, 3).rows.values), 10)

    cold, warm = LinearStudent.fit(good, 10), LinearStudent.fit(good, 10, wrong)

    assert warm.predict_proba(items(rows)) == pytest.approx(
        cold.predict_proba(items(rows)), abs=1e-2
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_any_float_does(dtype: type) -> None:
    rows, positions = blobs(30)
    targets: Floats = one_hot(positions, 3).rows.values.astype(dtype)

    student = LinearStudent.fit(examples(rows.astype(dtype), targets, np.ones(30, dtype)), 10)

    assert student.coefficients.dtype == np.float32
    assert student.predict_proba(items(rows.astype(dtype))).dtype == np.float32


def test_a_label_without_examples_is_unlikely_but_possible() -> None:
    rows, positions = blobs(30, 2)

    probabilities = LinearStudent.fit(
        examples(rows, one_hot(positions, 3).rows.values), 10
    ).predict_proba(items(rows))

    assert np.isfinite(probabilities).all()
    assert 0 < probabilities[:, 2].max() < 0.05


def test_sharpening_divides_the_logits() -> None:
    rows, positions = blobs(30)
    student = LinearStudent.fit(examples(rows, one_hot(positions, 3).rows.values), 10)

    cooled = np.log(student.sharpened(4).predict_proba(items(rows)))
    plain = np.log(student.predict_proba(items(rows)))

    assert cooled - cooled[:, :1] == pytest.approx((plain - plain[:, :1]) / 4, abs=1e-5)


def test_a_saved_student_predicts_the_same(tmp_path: Path) -> None:
    rows, positions = blobs(30)
    student = LinearStudent.fit(examples(rows, one_hot(positions, 3).rows.values), 10)

    student.save(tmp_path, ("a", "b", "c"))
    again = LinearStudent.load(tmp_path, "cpu")

    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    assert np.array_equal(again.predict_proba(items(rows)), student.predict_proba(items(rows)))
    shapes = {name: each.shape for name, each in load_file(tmp_path / "model.safetensors").items()}
    assert shapes == {"weight": (3, 8), "bias": (3,)}


def test_fitting_gives_back_the_threads_it_took() -> None:
    rows, positions = blobs(30)
    torch.set_num_threads(2)

    LinearStudent.fit(examples(rows, one_hot(positions, 3).rows.values), 10)

    after = torch.get_num_threads()
    torch.set_num_threads(1)
    assert after == 2


def test_examples_are_joined_in_order() -> None:
    rows, positions = blobs(5)
    whole = examples(rows, one_hot(positions, 3).rows.values, np.arange(5, dtype=np.float32))
    parts = [
        Examples(take(whole.items, where), whole.targets.take(where))
        for where in (np.arange(2), np.arange(2, 5), np.arange(0))
    ]

    joined = join(parts)

    assert joined.items.ids == whole.items.ids
    assert np.array_equal(joined.targets.rows.values, whole.targets.rows.values)
    assert np.array_equal(joined.targets.weights, whole.targets.weights)
    assert joined.items.embeddings is not None
    assert np.array_equal(joined.items.embeddings, rows)
