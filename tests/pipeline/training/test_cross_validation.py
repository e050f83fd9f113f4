from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hilt.pipeline.configuration.student import StudentSection
from hilt.pipeline.proposing.fusion import Trust
from hilt.pipeline.students.base import Examples, Student, take
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.training import cross_validation as training_module
from hilt.pipeline.training.combining import _blend_weights
from hilt.pipeline.training.cross_validation import Training, cross_fit, train_student
from hilt.pipeline.training.fine_tuning import FineTuner, last_epochs
from hilt.pipeline.training.self_training import fit_plain
from hilt.pipeline.training.training_data import Said, TrainingData
from hilt.proposers.models.encoder import EncoderSource
from hilt.rows import Rows
from hilt.types import Floats, Integers
from tests.one_label import values_of

MakeProblem = Callable[..., TrainingData]
SETTINGS = StudentSection(kind="linear")


def train(problem: TrainingData, settings: StudentSection = SETTINGS, seed: int = 0) -> Training:
    rng = np.random.default_rng(seed)
    return train_student(problem, settings, encoder=EncoderSource("none"), device="cpu", rng=rng)


def accuracy(said: Rows | Floats, positions: Integers) -> float:
    values = said.values if isinstance(said, Rows) else said
    return float((values.argmax(axis=1) == positions).mean())


@pytest.mark.parametrize("kind", ["auto", "linear"])
@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_a_student_learns_from_any_number_of_labels(
    make_problem: MakeProblem, n: int, kind: str
) -> None:
    problem = make_problem(n)
    fresh = make_problem(90, seed=1)

    training = train(problem, StudentSection.model_validate({"kind": kind, "effort": "quick"}))

    assert training.student.kind == "linear"
    assert accuracy(training.student.predict_proba(fresh.labelled), fresh.strata) > 0.9
    assert training.out_of_fold.values.shape == (n, 3)
    assert training.out_of_fold.values.sum(axis=1) == pytest.approx(1)
    assert list(training.scores) == ["linear"]
    assert all(0 <= weight <= 3 for weight in training.fusion)


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ({}, {"contrastive": "embedder", "transformer": "embedder"}),
        ({"contrastive": "c"}, {"contrastive": "c", "transformer": "embedder"}),
        ({"transformer": "t"}, {"contrastive": "embedder", "transformer": "t"}),
        ({"contrastive": "c", "transformer": "t"}, {"contrastive": "c", "transformer": "t"}),
    ],
)
def test_each_kind_starts_from_its_own_encoder_or_the_embedders(
    make_problem: MakeProblem,
    monkeypatch: pytest.MonkeyPatch,
    models: dict[str, str],
    expected: dict[str, str],
) -> None:
    started: dict[str, str] = {}

    class Watched(FineTuner):
        def fit(self, rows: Integers) -> Any:
            started[self.kind] = self.encoder.model
            return LinearStudent.fit(self.data.known(rows), 10)

        def complete(self, _place: int, rows: Integers) -> Any:
            return self.fit(rows)

        def finish(self) -> Any:
            return self.fit(np.arange(len(self.data)))

    monkeypatch.setattr(training_module, "FineTuner", Watched)
    sections = {kind: {"model": model} for kind, model in models.items()}
    settings = StudentSection.model_validate({"effort": "thorough", **sections})
    rng = np.random.default_rng(0)

    embedder = EncoderSource("embedder")
    train_student(make_problem(150), settings, encoder=embedder, device="cpu", rng=rng)

    assert started == expected


def test_one_kind_of_label_is_enough(make_problem: MakeProblem) -> None:
    problem = make_problem(10, positions=np.zeros(10, dtype=np.int64))

    training = train(problem)

    assert training.out_of_fold.values.shape == (10, 3)
    assert np.isfinite(training.out_of_fold.values).all()
    assert np.isfinite(training.student.predict_proba(problem.unlabelled)).all()


def test_no_unlabelled_items_means_no_self_training(make_problem: MakeProblem) -> None:
    assert not train(make_problem(12, unlabelled=0)).self_training


def test_self_training_can_be_turned_off(make_problem: MakeProblem) -> None:
    off = StudentSection.model_validate({"kind": "linear", "self_training": {"rounds": 0}})

    assert not train(make_problem(12), off).self_training


def test_self_training_that_hurts_is_dropped(make_problem: MakeProblem) -> None:
    """Unlabelled items whose proposals are sure, and all wrong."""
    good = make_problem(90, noise=0.4)
    wrong = np.roll(good.unlabelled_proposals[0].values, 1, axis=1) ** 8
    wrong /= wrong.sum(axis=1, keepdims=True)
    problem = replace(good, unlabelled_proposals=[Rows(wrong)])

    assert train(good).self_training
    assert not train(problem).self_training


def test_the_same_seed_trains_the_same(make_problem: MakeProblem) -> None:
    problem = make_problem(40, noise=0.4)

    first, again, other = train(problem), train(problem), train(problem, seed=1)

    assert np.array_equal(first.out_of_fold.values, again.out_of_fold.values)
    assert np.array_equal(first.fusion, again.fusion)
    assert first.scores == again.scores
    one, same = (each.student.predict_proba(problem.unlabelled) for each in (first, again))
    assert np.array_equal(one, same)
    assert not np.array_equal(first.out_of_fold.values, other.out_of_fold.values)


def test_a_proposal_at_random_gets_little_weight(make_problem: MakeProblem) -> None:
    useful = train(make_problem(200, noise=0.5, proposal_accuracy=0.9)).fusion
    random = train(make_problem(200, noise=0.5, proposal_accuracy=0.0)).fusion

    assert random[1] < 0.3
    assert useful[1] > 2 * random[1]


def test_labels_at_random_are_predicted_at_random_out_of_fold(make_problem: MakeProblem) -> None:
    """A student that had seen these labels would be better than chance on them."""
    guesses = np.random.default_rng(5).integers(3, size=240)
    problem = make_problem(240, positions=guesses, proposal_accuracy=0.0)

    training = train(problem, StudentSection(kind="linear", regularisation=1e4))

    seen = accuracy(training.student.predict_proba(problem.labelled), guesses)
    assert accuracy(training.out_of_fold, guesses) == pytest.approx(1 / 3, abs=0.1)
    assert seen > accuracy(training.out_of_fold, guesses) + 0.05
    assert training.scores["linear"] == pytest.approx(np.log(3), abs=0.05)


def test_no_student_predicts_what_it_was_fitted_to(make_problem: MakeProblem) -> None:
    problem = make_problem(20)
    folds = np.arange(20) % 4
    fitted: list[set[int]] = []

    def fit(rows: Integers) -> Student:
        fitted.append(set(rows.tolist()))
        return fit_plain(problem, rows, SETTINGS)

    predictions = cross_fit(fit, problem, folds)

    assert fitted == [set(np.flatnonzero(folds != fold)) for fold in range(4)]
    for fold, rows in enumerate(fitted):
        held_out = np.flatnonzero(folds == fold)
        student = fit_plain(problem, np.array(sorted(rows)), SETTINGS)
        alone = student.predict_proba(take(problem.labelled, held_out))
        assert predictions.take(held_out).values == pytest.approx(alone, abs=1e-5)


def test_duplicates_of_an_item_do_not_help_to_predict_it(make_problem: MakeProblem) -> None:
    """Every item twice, with a label at random: only a leak could do better than chance."""
    once = make_problem(120, positions=np.random.default_rng(5).integers(3, size=120))
    twice = np.repeat(np.arange(120), 2)
    problem = TrainingData(
        task=once.task,
        labelled=take(once.labelled, twice),
        values=values_of(once.strata[twice]),
        groups=once.groups[twice],
        proposals=[Rows(np.full((240, 3), 1 / 3, dtype=np.float32))],
        unlabelled=once.unlabelled,
        unlabelled_proposals=[Rows(np.full((200, 3), 1 / 3, dtype=np.float32))],
        trust=Trust(np.ones(1), np.ones(1)),
        descriptions=once.descriptions,
    )

    training = train(problem, StudentSection(kind="linear", regularisation=1e4))

    assert accuracy(training.out_of_fold, problem.strata) < 0.45


def test_predictions_are_calibrated_out_of_fold(make_problem: MakeProblem) -> None:
    training = train(make_problem(300, noise=0.5))
    problem = make_problem(300, noise=0.5)

    confidence = training.out_of_fold.values.max(axis=1).mean()

    assert confidence == pytest.approx(accuracy(training.out_of_fold, problem.strata), abs=0.05)


class FakeTuner:
    """Stands for fine-tuning: a linear student that was fitted to the right or wrong labels."""

    shift = 0
    is_averaged = True

    def __init__(self, _kind: str, problem: TrainingData, *_rest: object) -> None:
        self.data = problem

    def fit(self, rows: Integers) -> LinearStudent:
        known = self.data.known(rows)
        turned = Rows(np.roll(known.targets.rows.values, self.shift, axis=1))
        return LinearStudent.fit(Examples(known.items, replace(known.targets, rows=turned)), 10)

    def complete(self, _place: int, rows: Integers) -> LinearStudent:
        return self.fit(rows)

    def finish(self) -> LinearStudent:
        return self.fit(np.arange(len(self.data)))


@pytest.mark.parametrize(
    ("shift", "kinds"), [(1, {"linear"}), (0, {"linear", "blend", "contrastive"})]
)
def test_auto_keeps_what_predicts_best(
    make_problem: MakeProblem, monkeypatch: pytest.MonkeyPatch, shift: int, kinds: set[str]
) -> None:
    monkeypatch.setattr(FakeTuner, "shift", shift)
    monkeypatch.setattr(training_module, "FineTuner", FakeTuner)
    settings = StudentSection.model_validate({"contrastive": {"from_labels": 30}})

    training = train(make_problem(60), settings)

    assert set(training.scores) == {"linear", "contrastive"}
    assert training.student.kind in kinds


@pytest.mark.parametrize(
    ("kinds", "effort", "folds"),
    [
        ([], "normal", 5),
        (["contrastive"], "normal", 2),
        (["contrastive", "transformer"], "thorough", 5),
    ],
)
def test_an_encoder_is_fine_tuned_in_few_folds_unless_thoroughly(
    kinds: list[str], effort: str, folds: int
) -> None:
    settings = StudentSection.model_validate({"effort": effort})

    assert training_module._n_folds(kinds, settings) == folds


@pytest.mark.parametrize(
    ("labels", "characters", "epochs"), [(199, 300, 2), (200, 99, 2), (200, 100, 1)]
)
def test_the_students_of_folds_go_on_for_less_on_many_long_texts(
    make_problem: MakeProblem, labels: int, characters: int, epochs: int
) -> None:
    problem = make_problem(labels)
    long = replace(problem.labelled, contents=["a" * characters] * labels)

    assert last_epochs(replace(problem, labelled=long)) == epochs


def test_two_kinds_that_err_differently_are_blended() -> None:
    rng = np.random.default_rng(0)
    positions = rng.integers(2, size=400)

    def noisy() -> Floats:
        logit = np.where(positions == 1, 1, -1) + rng.normal(size=400) * 1.5
        one = 1 / (1 + np.exp(-logit))
        return np.column_stack([1 - one, one]).astype(np.float32)

    weights = _blend_weights({"one": noisy(), "other": noisy()}, positions)

    assert 0.5 <= weights["one"] / weights["other"] <= 2


# The measure


def test_an_audit_item_is_predicted_by_what_knows_all_labels_but_the_audits_of_its_fold(
    make_problem: MakeProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = np.arange(0, 40, 4)
    problem = replace(make_problem(40), audit=audit)
    fitted: list[set[int]] = []

    def known(_problem: TrainingData, rows: Integers, _settings: StudentSection) -> Examples:
        fitted.append(set(rows.tolist()))
        return problem.known(rows)

    monkeypatch.setattr(training_module, "known_examples", known)
    off = StudentSection.model_validate({"kind": "linear", "self_training": {"rounds": 0}})

    training = train(problem, off)

    chosen = set(range(40)) - set(audit.tolist())
    measuring = [rows for rows in fitted if chosen <= rows and len(rows) < 40]
    missed = [set(range(40)) - rows for rows in measuring]
    assert training.audit.values.shape == training.audit_fused.values.shape == (10, 3)
    assert set().union(*missed) == set(audit.tolist())
    assert sum(map(len, missed)) == len(audit)  # each in one fold


def test_what_an_audit_item_is_measured_by_was_fitted_without_it(
    make_problem: MakeProblem,
) -> None:
    """Labels at random, and a proposer that knows them no better than the student."""
    accuracies = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        guesses = rng.integers(3, size=100)
        problem = replace(make_problem(100, positions=guesses), audit=np.arange(100))
        said = [Rows(rng.dirichlet(np.ones(3), size=100).astype("f4"))]
        training = train(replace(problem, proposals=said))
        accuracies.append(accuracy(training.audit_fused, guesses))

    assert np.mean(accuracies) == pytest.approx(1 / 3, abs=0.03)


def test_a_proposer_that_learns_is_taught_anew_for_every_fold(make_problem: MakeProblem) -> None:
    problem = make_problem(40)
    asked: list[set[int]] = []

    def retaught(rows: Integers) -> Said:
        asked.append(set(rows.tolist()))
        return problem.unlabelled_proposals

    train(replace(problem, retaught=retaught))

    assert len(asked) == 5
    assert all(len(rows) == 32 for rows in asked)
