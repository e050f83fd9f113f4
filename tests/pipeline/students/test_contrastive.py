import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from hilt.errors import ModelError
from hilt.pipeline.configuration.student import StudentSection, TransformerSettings
from hilt.pipeline.students.base import Examples, Student, join
from hilt.pipeline.students.contrastive import (
    ContrastiveStudent,
    paired_batches,
    supervised_contrastive_loss,
)
from hilt.pipeline.training.fine_tuning import FineTuner
from hilt.pipeline.training.training_data import TrainingData
from hilt.proposers.models.encoder import EncoderSource
from hilt.rows import Rows
from hilt.tasks.base import Targets
from hilt.tasks.categorical import one_hot
from hilt.types import Integers, Items
from tests.tiny_encoder import WORDS, save_tiny_encoder

LABELS = ("sport", "world", "business")
SETTINGS = TransformerSettings(epochs=6, learning_rate=3e-3, batch_size=12, max_tokens=16)
BF16 = 0.02  # what bfloat16 may move a probability

MakeProblem = Callable[..., TrainingData]
Fit = Callable[..., ContrastiveStudent]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"))


def examples(n: int = 48, seed: int = 0) -> Examples:
    """Texts whose label is told by their words."""
    rng = np.random.default_rng(seed)
    positions = np.arange(n) % 3
    texts = [
        " ".join(["the", *rng.choice(WORDS[3 * position : 3 * position + 3], 1 + place % 4)])
        for place, position in enumerate(positions)
    ]
    items = Items([str(place) for place in range(n)], texts)
    return Examples(items, one_hot(positions, 3))


def fit(encoder: str, fitted: Examples | None = None, **settings: Any) -> ContrastiveStudent:
    values: dict[str, Any] = {"encoder": EncoderSource(encoder), "device": "cpu", "seed": 0}
    return ContrastiveStudent.fit(fitted or examples(), SETTINGS, **(values | settings))


@pytest.fixture(scope="module")
def student(encoder: str) -> ContrastiveStudent:
    return fit(encoder)


def accuracy(student: ContrastiveStudent, on: Examples) -> float:
    predicted = student.predict_proba(on.items).argmax(axis=1)
    return float((predicted == on.targets.rows.values.argmax(axis=1)).mean())


# The mean


def weights(student: Student) -> list[torch.Tensor]:
    assert isinstance(student, ContrastiveStudent)
    head = torch.from_numpy(student.head.coefficients)
    return [each.clone() for each in [*student.encoder.state_dict().values(), head]]


def test_the_student_is_the_mean_of_those_of_the_folds_that_learnt_the_rest(
    encoder: str, make_problem: MakeProblem
) -> None:
    problem = make_problem(24)
    contrastive = SETTINGS.model_dump(exclude={"head_learning_rate"})
    settings = StudentSection.model_validate({"kind": "contrastive", "contrastive": contrastive})
    tuner = FineTuner("contrastive", problem, settings, None, EncoderSource(encoder), "cpu", 0)
    folds = [tuner.fit(np.arange(start, 24, 2)) for start in (0, 1)]
    everything = join([problem.known(np.arange(24), settings.balance), problem.described()])
    expected = [
        weights(fit("no encoder is opened", everything, start=copy.deepcopy(each), epochs=2))
        for each in folds
        if isinstance(each, ContrastiveStudent)
    ]

    completed = [tuner.complete(place, np.arange(24)) for place in (0, 1)]
    student = tuner.finish()

    assert [each.epochs for each in completed] == [SETTINGS.epochs + 2] * 2
    for tensor, one, other in zip(weights(student), *expected, strict=True):
        assert torch.allclose(tensor.float(), (one + other) / 2, atol=1e-6)
    predicted = student.predict_proba(problem.labelled).argmax(axis=1)
    assert (predicted == problem.strata).mean() > 0.9


# The loss and the batches


def test_the_loss_is_the_published_one() -> None:
    vectors = torch.nn.functional.normalize(torch.tensor([[1.0, 0], [1, 1], [0, 1]]), dim=1)
    similar = np.exp(np.array([[0, 0.5**0.5, 0], [0.5**0.5, 0, 0.5**0.5]]) / 0.1)
    expected = -np.log(similar[0, 1] / (similar[0, 1] + 1)) - np.log(0.5)

    loss = supervised_contrastive_loss(vectors, torch.tensor([0, 0, 1]), torch.ones(3))

    assert float(loss) == pytest.approx(expected / 3, rel=1e-5)


def test_an_example_without_weight_does_not_ask_for_anything() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(4, 3), dim=1)
    positions, weights = torch.tensor([0, 0, 1, 1]), torch.tensor([1.0, 0, 0, 0])

    alone = supervised_contrastive_loss(vectors, positions, weights)
    all_of_them = supervised_contrastive_loss(vectors, positions, torch.ones(4))

    assert float(alone) != pytest.approx(float(all_of_them))


@pytest.mark.parametrize("positions", [[0] * 5 + [1] * 4, [0, 1, 2, 3], [2, 2]])
def test_batches_hold_every_row_and_labels_in_pairs(positions: list[int]) -> None:
    labels: Integers = np.array(positions)

    batches = paired_batches(labels, 4, np.random.default_rng(0))

    assert set(np.concatenate(batches)) == set(range(len(labels)))
    assert max(len(batch) for batch in batches) <= 4
    for batch in batches:
        assert np.array_equal(labels[batch[::2]], labels[batch[1::2]])


# Training


def test_what_it_learned_holds_for_other_texts(encoder: str, student: ContrastiveStudent) -> None:
    fresh = examples(60, seed=1)

    assert accuracy(student, fresh) > 0.95


def test_it_goes_on_from_where_another_stopped(encoder: str) -> None:
    half = fit(encoder, epochs=2)
    before = accuracy(half, examples(60, seed=1))

    student = fit("no encoder is opened", start=half, epochs=3)

    assert student.epochs == 5
    assert accuracy(student, examples(60, seed=1)) >= before
    assert student.encoder is half.encoder


def test_texts_of_a_label_come_close(encoder: str, student: ContrastiveStudent) -> None:
    vectors = student.encoder.encode(list(examples(30, seed=1).items.texts), convert_to_numpy=True)
    untrained = SentenceTransformer(encoder, device="cpu").encode(
        list(examples(30, seed=1).items.texts), convert_to_numpy=True
    )
    alike = np.arange(30)[:, None] % 3 == np.arange(30) % 3

    gaps = []
    for rows in (vectors, untrained):
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        gaps.append(float((unit @ unit.T)[alike].mean() - (unit @ unit.T)[~alike].mean()))

    assert gaps[0] > gaps[1] + 0.2


def test_the_same_seed_gives_the_same_student(encoder: str, student: ContrastiveStudent) -> None:
    items = examples(20, seed=2).items
    state = torch.random.get_rng_state()

    again = fit(encoder)

    assert np.array_equal(again.predict_proba(items), student.predict_proba(items))
    assert torch.equal(state, torch.random.get_rng_state())


def test_every_epoch_is_told(encoder: str) -> None:
    told: list[float] = []

    student = fit(encoder, epochs=2, advance=told.append)

    assert told == [1, 1]
    assert student.epochs == 2


def test_validation_on_other_labels_stops_early(encoder: str) -> None:
    turned = replace(examples(12), targets=one_hot((np.arange(12) + 1) % 3, 3))

    student = fit(encoder, validation=turned)

    assert student.epochs < SETTINGS.epochs - 2


def test_soft_targets_and_weights_are_learned_from(encoder: str) -> None:
    soft = examples()
    right = soft.targets.rows.values
    mixed = np.concatenate([right * 0.9 + 0.1 / 3, np.roll(right, 1, axis=1)]).astype(np.float32)
    both = Examples(
        Items([*soft.items.ids, *soft.items.ids], [*soft.items.texts, *soft.items.texts]),
        Targets(Rows(mixed), np.repeat(np.array([1, 0.01], dtype=np.float32), len(soft))),
    )

    assert accuracy(fit(encoder, both), examples(60, seed=1)) > 0.9


def test_an_encoder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere' cannot be loaded"):
        fit(str(tmp_path / "nowhere"))


# Prediction


def test_predictions_come_in_the_order_of_the_items(student: ContrastiveStudent) -> None:
    items = examples(150).items
    turned = Items(items.ids[::-1], items.texts[::-1])

    forwards, backwards = student.predict_proba(items), student.predict_proba(turned)

    assert forwards.dtype == np.float32
    assert forwards.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert backwards[::-1] == pytest.approx(forwards, abs=BF16)


def test_long_texts_are_cut_and_empty_ones_and_none_are_predicted(
    student: ContrastiveStudent,
) -> None:
    long = student.predict_proba(Items(["a", "b"], ["goal " * 14, "goal " * 1000]))

    assert long[0] == pytest.approx(long[1], abs=BF16)
    assert np.isfinite(student.predict_proba(Items(["a"], [""]))).all()
    assert student.predict_proba(Items([], [])).shape == (0, 3)


def test_sharpening_divides_the_logits(student: ContrastiveStudent) -> None:
    items = examples(9).items
    before, after = (
        np.log(each.predict_proba(items)) for each in (student, student.sharpened(2.0))
    )

    assert after - after[:, :1] == pytest.approx((before - before[:, :1]) / 2, abs=1e-3)


# On disk


def test_a_saved_student_predicts_the_same(tmp_path: Path, student: ContrastiveStudent) -> None:
    items = examples(20, seed=2).items
    student.save(tmp_path, LABELS)

    again = ContrastiveStudent.load(tmp_path, "cpu")

    assert np.array_equal(again.predict_proba(items), student.predict_proba(items))


def test_the_saved_encoder_loads_with_sentence_transformers_alone(
    tmp_path: Path, student: ContrastiveStudent
) -> None:
    items = examples(20, seed=2).items
    student.save(tmp_path, LABELS)

    plain = SentenceTransformer(str(tmp_path / "encoder"), device="cpu")
    vectors = plain.encode(list(items.texts), normalize_embeddings=True, convert_to_numpy=True)

    probabilities = student.head.predict_proba(Items(items.ids, items.texts, vectors))
    assert probabilities == pytest.approx(student.predict_proba(items), abs=BF16)


def test_nothing_that_is_saved_is_a_pickle(tmp_path: Path, student: ContrastiveStudent) -> None:
    student.save(tmp_path, LABELS)

    endings = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}

    assert endings <= {".json", ".safetensors", ".txt"}
