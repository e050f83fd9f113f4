from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.pipeline.configuration.student import StudentSection
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.training.self_training import SelfTraining, confident_share, fit_plain
from hilt.pipeline.training.training_data import TrainingData
from hilt.types import Floats, Items

MakeProblem = Callable[..., TrainingData]
SURE = np.array(
    [
        [0.9, 0.1, 0.0],
        [0.6, 0.4, 0.0],
        [0.8, 0.2, 0.0],
        [0.7, 0.3, 0.0],
        [0.3, 0.5, 0.2],
        [0.1, 0.6, 0.3],
    ]
)


@pytest.mark.parametrize(
    ("share", "kept"),
    [
        (0.5, [0, 2, 5]),
        (0.25, [0, 5]),
        (0.01, [0, 5]),
        (0.51, [0, 2, 3, 4, 5]),
        (1.0, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_the_surer_share_of_every_predicted_label_is_kept(share: float, kept: list[int]) -> None:
    assert confident_share(SURE.argmax(axis=1), SURE.max(axis=1), share).tolist() == kept


def test_of_equally_sure_items_the_first_are_kept() -> None:
    assert confident_share(np.zeros(4, dtype=int), np.full(4, 0.5), 0.5).tolist() == [0, 1]


def test_of_no_items_none_are_kept() -> None:
    assert confident_share(np.empty(0, dtype=int), np.empty(0), 0.5).tolist() == []


@given(st.integers(1, 60), st.integers(2, 5), st.floats(0.01, 1))
def test_every_predicted_label_keeps_its_share(n: int, n_labels: int, share: float) -> None:
    probabilities = np.random.default_rng(n).dirichlet(np.ones(n_labels), n)
    predicted = probabilities.argmax(axis=1)

    kept = confident_share(predicted, probabilities.max(axis=1), share)

    assert np.array_equal(kept, np.unique(kept))
    for label in np.unique(predicted):
        of_label = np.flatnonzero(predicted == label)
        inside = np.isin(of_label, kept)
        assert inside.sum() == np.ceil(share * len(of_label))
        confidence = probabilities[of_label, label]
        assert confidence[inside].min() >= confidence[~inside].max(initial=0)


def test_guesses_help_when_labels_are_few(make_problem: MakeProblem) -> None:
    problem = make_problem(3, unlabelled=600, noise=0.45)
    fresh = make_problem(300, noise=0.45, seed=1)
    settings = StudentSection()
    rows = np.arange(3)

    taught = SelfTraining(problem, settings, np.array([1.0, 1.0]), 0.3).fit(rows)
    plain = fit_plain(problem, rows, settings)

    right = [
        float((student.predict_proba(fresh.labelled).argmax(axis=1) == fresh.strata).mean())
        for student in (plain, taught)
    ]
    assert right[1] > right[0]


def test_guesses_can_be_limited_and_carry_the_configured_weight(
    make_problem: MakeProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = make_problem(12, unlabelled=60)
    amount = {"share": 0.5, "weight": 0.25}
    settings = StudentSection.model_validate({"self_training": amount})
    self_training = SelfTraining(problem, settings, np.array([1.0, 1.0]), 0.25)
    student = self_training.fit(np.arange(12))

    asked, predict = [], LinearStudent.predict_proba

    def watched(student: LinearStudent, items: Items) -> Floats:
        asked.append(set(items.ids))
        return predict(student, items)

    monkeypatch.setattr(LinearStudent, "predict_proba", watched)
    said = self_training.data.unlabelled_proposals
    all_of_them = self_training.guess(student, said)
    some = self_training.guess(student, said, 5, seed=3)

    assert len(all_of_them) in range(30, 34)
    assert len(some) == 5
    assert [len(items) for items in asked] == [60, 10]  # half of which are sure enough
    assert set(some.items.ids) < asked[1]
    assert list(some.items.ids) == list(self_training.guess(student, said, 5, seed=3).items.ids)
    assert set(some.targets.weights.tolist()) == {0.25}


def test_without_labels_the_descriptions_alone_teach(make_problem: MakeProblem) -> None:
    problem = make_problem(3)
    self_training = SelfTraining(problem, StudentSection(), np.array([1.0, 1.0]), 0.3)

    student = self_training.fit(np.empty(0, dtype=np.int64))

    assert student.predict_proba(problem.labelled).argmax(axis=1).tolist() == [0, 1, 2]
