"""Whether chosen labels teach more than random ones."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hilt.pipeline.configuration.student import StudentSection
from hilt.pipeline.training.measure_gain import measure_advantage
from hilt.pipeline.training.selection_gain import SelectionGain, advantage_sentence
from hilt.pipeline.training.training_data import TrainingData
from tests.conftest import summary_of
from tests.one_label import values_of

MakeProblem = Callable[..., TrainingData]
SETTINGS = StudentSection()
AUDIT = np.arange(60)


def measured(
    problem: TrainingData, audit: np.ndarray = AUDIT, seed: int = 0
) -> SelectionGain | None:
    problem = replace(problem, audit=audit)
    return measure_advantage(problem, SETTINGS, np.random.default_rng(seed))


def test_labels_like_the_audits_are_level_with_it(make_problem: MakeProblem) -> None:
    advantages = [measured(make_problem(200, noise=0.6, seed=seed)) for seed in range(20)]

    ratios = [each.difference / each.standard_error for each in advantages if each is not None]
    assert len(ratios) == 20
    assert abs(np.mean(ratios)) < 0.5
    assert sum(abs(ratio) > 1.96 for ratio in ratios) <= 3


def test_chosen_labels_that_are_wrong_fall_behind(make_problem: MakeProblem) -> None:
    problem = make_problem(200)
    wrong = (problem.strata[60:] + 1) % 3

    found = measured(replace(problem, values=values_of(np.append(problem.strata[:60], wrong))))

    assert found is not None
    assert found.interval[1] < 0


def test_typical_chosen_items_get_ahead_of_noisy_ones(make_problem: MakeProblem) -> None:
    noisy, typical = make_problem(200, noise=0.5), make_problem(200, noise=0.05)
    rows = [noisy.labelled.embeddings, typical.labelled.embeddings]
    assert rows[0] is not None
    assert rows[1] is not None
    items = replace(noisy.labelled, embeddings=np.concatenate([rows[0][:60], rows[1][60:]]))

    found = measured(replace(noisy, labelled=items))

    assert found is not None
    assert found.interval[0] > 0


@pytest.mark.parametrize(("n", "labels", "replaced"), [(200, 160, 30), (60, 20, 20)])
def test_as_many_labels_are_learnt_from(
    make_problem: MakeProblem, n: int, labels: int, replaced: int
) -> None:
    found = measured(make_problem(n), np.arange(40))

    assert found is not None
    assert (found.audit_labels, found.labels, found.replaced) == (40, labels, replaced)


@pytest.mark.parametrize(("n_audit", "n"), [(19, 200), (40, 49)])
def test_too_few_labels_say_nothing(make_problem: MakeProblem, n_audit: int, n: int) -> None:
    assert measured(make_problem(n), np.arange(n_audit)) is None


def test_a_chosen_item_with_the_text_of_an_audit_item_teaches_nothing_about_it(
    make_problem: MakeProblem,
) -> None:
    problem = make_problem(200)
    twins = replace(problem, groups=np.append(AUDIT, np.arange(140) % 60))

    assert measured(twins) is None


def test_the_same_seed_gives_the_same_number(make_problem: MakeProblem) -> None:
    problem = make_problem(200, noise=0.6)

    assert measured(problem, seed=3) == measured(problem, seed=3)
    assert measured(problem, seed=3) != measured(problem, seed=4)


@pytest.mark.parametrize(
    ("difference", "verdict", "change"),
    [
        (0.3, "is", "fall by 0.30 (95 % interval 0.10 to 0.50)"),
        (0.1, "is not clearly", "fall by 0.10 (95 % interval -0.10 to 0.30)"),
        (-0.1, "is not clearly", "rise by 0.10 (95 % interval -0.10 to 0.30)"),
        (-0.3, "is not", "rise by 0.30 (95 % interval 0.10 to 0.50)"),
    ],
)
def test_a_sentence_says_so_only_beyond_the_interval(
    difference: float, verdict: str, change: str
) -> None:
    advantage = {
        "difference": difference,
        "standard_error": 0.1,
        "audit_labels": 30,
        "labels": 100,
        "replaced": 20,
    }

    sentence = advantage_sentence(summary_of(advantage=advantage, audit_labels=30))

    assert sentence == (
        f"Selection {verdict} paying off: with 20 of the 100 selected labels replaced by random"
        f" ones, the student's mean log-likelihood on 30 audit items would {change}."
    )


def test_a_sentence_says_what_is_missing() -> None:
    sentence = advantage_sentence(summary_of(audit_labels=12, human_labels=60))

    assert sentence.endswith("needs 20 audit labels and 10 others; there are 12 and 48.")
