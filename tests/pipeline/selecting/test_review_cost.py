"""How long people need for an item, learnt from times that were made by known rules."""

from dataclasses import replace

import numpy as np
import pytest

from hilt.pipeline.selecting.review_cost import (
    ReviewCost,
    Timings,
    cost_sentence,
    disagreement,
    features,
    fit_cost_model,
    perplexity,
    review_cost,
)
from hilt.rows import Rows
from hilt.types import Floats
from tests.one_label import single

TWICE_THE_TEXT = 1.5  # times as long


def timings(n: int, *, noise: float = 0.2, breaks: int = 0, seed: int = 0) -> Timings:
    """Times that grow with the length of the text, and by nothing else."""
    rng = np.random.default_rng(seed)
    characters = rng.integers(20, 2000, size=n)
    blind = (rng.random(n) < 0.15).astype(float)
    told = features(characters, rng.uniform(1, 4, n), rng.random(n).round(), blind)
    seconds = 2 * TWICE_THE_TEXT ** (told[:, 0] - 5) * np.exp(noise * rng.normal(size=n))
    seconds[:breaks] = 3600.0
    return Timings(seconds, told, ["ann"] * n, np.arange(n))


def judge(told: Timings) -> ReviewCost:
    return review_cost(told, np.random.default_rng(0))


def test_features_count_twice_as_much_as_one_more() -> None:
    told = features(np.array([0, 31, 63]), np.array([1.0, 2.0, 8.0]), np.array([0, 0.5, 1]), True)

    assert told.tolist() == [[0, 0, 0, 1], [5, 1, 0.5, 1], [6, 3, 1, 1]]


def test_perplexity_counts_plausible_labels() -> None:
    rows = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4])

    assert perplexity(Rows(rows), single(4).rows) == pytest.approx([1, 2, 4])


def test_disagreement_leaves_out_who_abstains() -> None:
    fused = np.array([[0.9, 0.1], [0.2, 0.8]])
    nothing = [np.nan, np.nan]
    proposals: Floats = np.array(
        [
            [[0.9, 0.1], nothing],
            [[0.3, 0.7], nothing],
            [nothing, nothing],
            [[0.1, 0.9], [0.9, 0.1]],
        ]
    )

    said = [*map(Rows, proposals)]
    assert disagreement(said, Rows(fused), single(2).rows) == pytest.approx([2 / 3, 1])


def test_of_an_item_of_several_rows_one_that_differs_is_another_answer() -> None:
    offsets = np.array([0, 2, 3])
    fused = Rows(np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]]), offsets)
    other = Rows(np.array([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8]]), offsets)

    assert disagreement([fused, other], fused, single(2).rows).tolist() == [0.5, 0]
    assert perplexity(fused, single(2).rows)[0] == pytest.approx((1.384 + 2) / 2, abs=1e-3)


def test_what_makes_items_slow_is_found() -> None:
    cost = judge(timings(200))

    length, *others = cost.model.factors.values()
    assert cost.is_predictable
    assert length == pytest.approx(TWICE_THE_TEXT, abs=0.05)
    assert others == pytest.approx([1, 1, 1], abs=0.1)


@pytest.mark.parametrize("noise", [0.5, 0.8, 1.0])
def test_predictions_are_means_and_not_medians(noise: float) -> None:
    told = timings(40000, noise=noise)

    predicted = fit_cost_model(told).predict(told.features)

    assert predicted.sum() == pytest.approx(told.seconds.sum(), rel=0.02)


def test_a_break_does_not_count_as_a_hard_item() -> None:
    without, with_breaks = judge(timings(200)), judge(timings(200, breaks=6))

    assert with_breaks.is_predictable
    assert with_breaks.mean_seconds == pytest.approx(without.mean_seconds, rel=0.15)
    length = next(iter(with_breaks.model.factors.values()))
    assert length == pytest.approx(TWICE_THE_TEXT, abs=0.1)


def test_times_by_chance_are_not_predictable() -> None:
    rng = np.random.default_rng(1)
    chance = [
        replace(timings(n, seed=seed), seconds=5 * np.exp(0.5 * rng.normal(size=n)))
        for n in (40, 100)
        for seed in range(20)
    ]

    assert sum(judge(told).is_predictable for told in chance) <= 2


def test_equal_times_are_not_predictable() -> None:
    told = replace(timings(60), seconds=np.full(60, 5.0))
    cost = judge(told)

    assert not cost.is_predictable
    assert (cost.median_seconds, cost.mean_seconds) == (5, 5)


def test_few_decisions_are_not_believed() -> None:
    cost = judge(timings(39))

    assert (cost.r_squared, cost.is_predictable) == (None, False)


def test_reviewers_have_a_pace_of_their_own() -> None:
    told = timings(300)
    slow = np.arange(300) % 2 == 1
    names = ["ben" if each else "ann" for each in slow]
    model = fit_cost_model(
        replace(told, seconds=told.seconds * np.where(slow, 3, 1), reviewers=names)
    )
    some = told.features[:50]

    ratio = model.predict(some, "ben") / model.predict(some, "ann")
    assert ratio == pytest.approx(np.full(50, 3), rel=0.1)
    assert model.predict(some, "somebody new") == pytest.approx(model.predict(some))


def test_reviewers_of_different_pace_alone_make_no_item_predictable() -> None:
    told = timings(200)
    slow = np.arange(200) % 2 == 1
    seconds = np.where(slow, 30.0, 5.0) * np.exp(0.3 * np.random.default_rng(0).normal(size=200))
    names = ["ben" if each else "ann" for each in slow]

    assert not judge(replace(told, seconds=seconds, reviewers=names)).is_predictable


def test_one_decision_is_enough_for_a_median() -> None:
    cost = judge(timings(1))

    assert cost.median_seconds == pytest.approx(cost.mean_seconds, abs=0.02)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (timings(10), "can be predicted once 40 decisions"),
        (replace(timings(60), seconds=np.full(60, 5.0)), "A decision takes 5.0 s (median of 60)."),
        (timings(200), "\u00d71."),
    ],
)
def test_a_sentence_says_what_is_known(told: Timings, said: str) -> None:
    assert said in cost_sentence(judge(told).to_dict())
