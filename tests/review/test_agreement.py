"""Agreement, against answers that are known from the literature or by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from hilt.intervals import newcombe, wilson
from hilt.review.agreement import MISSING, count_labels, fleiss_kappa, measure_agreement

# Krippendorff 2011, section C: four observers, twelve units, nominal alpha 0.743.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
).T
# Fleiss 1971 as on Wikipedia: ten subjects, fourteen raters, five categories, kappa 0.210.
FLEISS = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def names(count: int) -> list[str]:
    return [f"label {number}" for number in range(count)]


def test_alpha_is_krippendorffs_own_example() -> None:
    found = measure_agreement(KRIPPENDORFF - 1, ["a", "b", "c", "d"], names(5), rng())

    assert found.alpha is not None
    assert found.alpha.value == pytest.approx(0.743, abs=5e-4)
    assert found.alpha.low < found.alpha.value < found.alpha.high
    assert found.items == 11


def test_fleiss_kappa_is_the_known_one() -> None:
    weights = np.ones((1, len(FLEISS)), dtype=np.int64)

    assert fleiss_kappa(FLEISS, weights)[0] == pytest.approx(0.210, abs=5e-4)


def test_cohens_kappa_of_a_pair_is_the_textbook_one() -> None:
    # 20 both yes, 15 both no, 5 and 10 apart: kappa 0.4.
    ratings = np.array([[0, 0]] * 20 + [[0, 1]] * 5 + [[1, 0]] * 10 + [[1, 1]] * 15)

    (pair,) = measure_agreement(ratings, ["ann", "bob"], names(2), rng()).pairs

    assert pair.kappa is not None
    assert pair.percent is not None
    assert pair.kappa.value == pytest.approx(0.4)
    assert pair.percent.value == pytest.approx(0.7)
    assert pair.items == 50


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=5, max_size=40))
def test_cohens_kappa_is_that_of_scikit_learn(labels: list[tuple[int, int]]) -> None:
    ratings = np.array(labels)

    (pair,) = measure_agreement(ratings, ["ann", "bob"], names(3), rng()).pairs

    if len(np.unique(ratings)) == 1:
        assert pair.kappa is None
    else:
        known = cohen_kappa_score(*ratings.T, labels=[0, 1, 2])
        assert pair.kappa is not None
        assert pair.kappa.value == pytest.approx(known)


def test_perfect_agreement_is_one_and_without_shared_items_there_is_none() -> None:
    same = measure_agreement(np.array([[0, 0], [1, 1], [2, 2]]), ["ann", "bob"], names(3), rng())
    apart = measure_agreement(np.array([[0, -1], [-1, 1]]), ["ann", "bob"], names(3), rng())

    assert same.alpha is not None
    assert same.fleiss is not None
    assert (same.alpha.value, same.fleiss.value) == (1.0, 1.0)
    assert (apart.items, apart.percent, apart.alpha, apart.pairs) == (0, None, None, ())


def test_the_label_on_which_people_differ_stands_out() -> None:
    ratings = np.array([[0, 0]] * 10 + [[1, 2]] * 5 + [[2, 2]] * 5)

    by_label = {
        each.label: each for each in measure_agreement(ratings, ["a", "b"], names(3), rng()).labels
    }

    assert by_label["label 0"].alpha is not None
    assert by_label["label 1"].alpha is not None
    assert by_label["label 0"].alpha.value == 1.0
    assert by_label["label 1"].alpha.value < 0.1
    assert by_label["label 1"].items == 5


def test_labels_are_counted_without_the_missing_ones() -> None:
    ratings = np.array([[0, 1, MISSING], [1, 1, 1]])

    assert count_labels(ratings, 2).tolist() == [[1, 1], [0, 3]]


def test_intervals_are_the_published_ones() -> None:
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)  # Newcombe 1998
    assert newcombe((9, 3), (10, 10)) == pytest.approx((0.1705, 0.8090), abs=5e-5)


@pytest.mark.parametrize(
    ("items", "right", "shares"),
    [
        (10, 0.97, (0.5, 0.5)),
        (20, 0.97, (0.6, 0.3, 0.1)),
        (20, 0.85, (0.5, 0.5)),
        (50, 0.97, (1 / 6,) * 6),
    ],
)
def test_intervals_hold_the_truth(items: int, right: float, shares: tuple[float, ...]) -> None:
    n_labels, runs, draws = len(shares), 150, rng()
    said = np.full((n_labels, n_labels), (1 - right) / (n_labels - 1))
    np.fill_diagonal(said, right)
    cells = np.einsum("k,ki,kj->ij", shares, said, said)
    equal, chance = np.trace(cells), cells.sum(axis=0) @ cells.sum(axis=1)
    kappa = (equal - chance) / (1 - chance)
    held = {"percent": 0, "kappa": 0, "alpha": 0, "fleiss": 0}
    for _ in range(runs):
        pairs = draws.choice(n_labels**2, items, p=cells.ravel())
        ratings = np.stack(np.divmod(pairs, n_labels), axis=1)
        found = measure_agreement(ratings, ["ann", "bob"], [str(n) for n in range(n_labels)], draws)
        (pair,) = found.pairs
        for name, estimate, truth in (
            ("percent", pair.percent, equal),
            ("kappa", pair.kappa, kappa),
            ("alpha", found.alpha, kappa),
            ("fleiss", found.fleiss, kappa),
        ):
            held[name] += estimate is None or estimate.low - 1e-9 <= truth <= estimate.high + 1e-9

    assert min(held.values()) >= 0.88 * runs  # 95 %, less 4 standard errors of the runs


def test_ratings_of_one_item_count_together() -> None:
    # Ten ratings of an item are all alike or all apart, so they say no more than one of them.
    items = 30
    one = np.array([[0, 0], [1, 1], [0, 1]] * (items // 3))
    ten = np.repeat(one, 10, axis=0)
    of = np.repeat(np.arange(items), 10)

    alone = measure_agreement(one, ["a", "b"], names(2), rng())
    together = measure_agreement(ten, ["a", "b"], names(2), rng(), of)
    as_if_each_were_one = measure_agreement(ten, ["a", "b"], names(2), rng())

    assert together.items == together.pairs[0].items == items
    for got, single, many in (
        (together.percent, alone.percent, as_if_each_were_one.percent),
        (together.alpha, alone.alpha, as_if_each_were_one.alpha),
        (together.fleiss, alone.fleiss, as_if_each_were_one.fleiss),
        (together.pairs[0].percent, alone.pairs[0].percent, as_if_each_were_one.pairs[0].percent),
        (together.pairs[0].kappa, alone.pairs[0].kappa, as_if_each_were_one.pairs[0].kappa),
    ):
        assert got is not None
        assert single is not None
        assert many is not None
        assert got.value == pytest.approx(many.value)
        assert got.high - got.low == pytest.approx(single.high - single.low, rel=0.15)
        assert got.high - got.low > 2 * (many.high - many.low)


def test_an_item_of_one_rating_is_drawn_as_before_however_it_is_numbered() -> None:
    ratings = np.array([[0, 0], [1, 1], [2, 1], [2, 2], [0, 1]])

    assert measure_agreement(ratings, ["a", "b"], names(3), rng()) == measure_agreement(
        ratings, ["a", "b"], names(3), rng(), np.array([4, 2, 9, 1, 0])
    )
