"""What every registered selector promises, before and after the first labels."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from hilt.errors import DataError
from hilt.pipeline.selecting.choosing import NEVER_ALIKE
from hilt.rows import Rows
from hilt.selectors.base import SELECTORS, Selector, make_selector
from hilt.types import Integers, Selection, SelectionView
from tests.selectors.proposing import proposing
from tests.toys.words import Words

Make = Callable[..., SelectionView]
Permute = Callable[[SelectionView, Integers], SelectionView]

LABELLED = [0, 1, 40]
SECTIONS: list[dict[str, Any]] = [
    *({"kind": kind} for kind in SELECTORS.names()),
    {"kind": "herding", "sample": 100},
    {"kind": "max_herding", "sample": 100},
    {"kind": "probcover", "sample": 100},
    {"kind": "typiclust", "most_clusters": 5},
    {"kind": "balanced", "of": {"kind": "badge"}},
    {"kind": "per_second", "of": {"kind": "balanced", "of": {"kind": "k_center"}}},
    {"kind": "subsample", "size": 80, "of": {"kind": "dropquery"}},
]
ONE_ROW_AN_ITEM = {"badge", "bald", "contrastive", "dropquery"}
ORDERED_BY_CHANCE = {"auto", "random", "vote_entropy"}  # draws; votes of three are mostly level


def written(section: dict[str, Any]) -> str:
    """Write a section in one line, as the name of a test."""
    of = [f"of {written(section['of'])}"] if "of" in section else []
    settings = [f"{key}={value}" for key, value in section.items() if key not in ("kind", "of")]
    return " ".join([section["kind"], *settings, *of])


@pytest.fixture(params=SECTIONS, ids=written)
def selector(request: pytest.FixtureRequest) -> Selector:
    return make_selector(request.param)


@pytest.fixture(params=LABELLED, ids="{} labels".format)
def n_labelled(request: pytest.FixtureRequest) -> int:
    count: int = request.param
    return count


@pytest.fixture
def pool(make_pool: Make, n_labelled: int) -> SelectionView:
    return with_labels(make_pool(240), n_labelled)


def with_labels(view: SelectionView, count: int) -> SelectionView:
    """Let the first `count` items be labelled with the first label."""
    return replace(
        view,
        labelled=np.arange(count),
        labels=np.zeros(count, dtype=np.int64),
        candidates=view.candidates[count:],
    )


@contextmanager
def faiss_threads(count: int) -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    yield
    faiss.omp_set_num_threads(before)


def pick(selector: Selector, view: SelectionView, k: int, seed: int = 3) -> Selection:
    return selector.select(view, k, np.random.default_rng(seed))


@pytest.mark.parametrize("k", [1, 2, 25, 60])
def test_exactly_k_distinct_candidates_are_picked(
    selector: Selector, pool: SelectionView, k: int
) -> None:
    selection = pick(selector, pool, k)

    assert len(selection) == k
    assert len(np.unique(selection.indices)) == k
    assert np.isin(selection.indices, pool.candidates).all()
    assert np.issubdtype(selection.indices.dtype, np.integer)


def test_every_pick_has_a_score_from_0_to_1_and_a_reason(
    selector: Selector, pool: SelectionView
) -> None:
    selection = pick(selector, pool, 25)

    assert selection.scores.shape == (25,)
    assert np.isfinite(selection.scores).all()
    assert selection.scores.min() >= 0
    assert selection.scores.max() <= 1
    assert len(selection.reasons) == 25
    assert set(selection.reasons) <= {"uncertain", "coverage", "spread", "random"}


def test_the_same_seed_picks_the_same(selector: Selector, pool: SelectionView) -> None:
    first = pick(selector, pool, 25)
    second = pick(selector, pool, 25)

    np.testing.assert_array_equal(first.indices, second.indices)
    np.testing.assert_array_equal(first.scores, second.scores)
    assert first.reasons == second.reasons


def test_one_thread_picks_what_two_pick(selector: Selector, pool: SelectionView) -> None:
    picks = []
    for threads in (1, 2):
        with threadpool_limits(threads), faiss_threads(threads):
            picks.append(pick(selector, pool, 25).indices.tolist())

    assert picks[0] == picks[1]


def test_the_global_generator_is_left_alone(selector: Selector, pool: SelectionView) -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002

    pick(selector, pool, 25)

    after = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    assert before == after


@pytest.mark.parametrize(
    "section", [one for one in SECTIONS if one["kind"] not in ORDERED_BY_CHANCE], ids=written
)
def test_the_order_of_the_pool_does_not_matter_where_scores_are_distinct(
    section: dict[str, Any], pool: SelectionView, permute: Permute
) -> None:
    selector = make_selector(section)
    order = np.random.default_rng(11).permutation(len(pool.embeddings))

    as_it_stands = pick(selector, pool, 25)
    shuffled = pick(selector, permute(pool, order), 25)

    assert set(order[shuffled.indices]) == set(as_it_stands.indices)


def test_all_that_is_left_can_be_asked_for(selector: Selector, pool: SelectionView) -> None:
    left = replace(pool, candidates=pool.candidates[-12:])

    assert sorted(pick(selector, left, 12).indices) == sorted(left.candidates)


def test_asking_for_more_than_is_left_returns_what_is_left(
    selector: Selector, pool: SelectionView
) -> None:
    left = replace(pool, candidates=pool.candidates[-12:])

    assert sorted(pick(selector, left, 500).indices) == sorted(left.candidates)


def test_without_candidates_nothing_is_picked(selector: Selector, pool: SelectionView) -> None:
    nothing = pick(selector, replace(pool, candidates=pool.candidates[:0]), 5)

    assert len(nothing) == 0
    assert nothing.scores.shape == (0,)
    assert nothing.reasons == ()


@pytest.mark.parametrize("k", [0, -1])
def test_fewer_than_one_item_is_refused(selector: Selector, pool: SelectionView, k: int) -> None:
    with pytest.raises(DataError, match=f"k is {k} but a batch needs at least 1 item"):
        pick(selector, pool, k)


def test_items_with_the_same_text_are_never_in_one_batch(
    selector: Selector, pool: SelectionView
) -> None:
    # 240 items of 60 texts, whose rows differ as if the encoder had seen them in other batches
    copies = replace(pool, groups=np.arange(240) % 60)

    selection = pick(selector, copies, 40)

    assert len(selection) == 40
    assert len(np.unique(copies.groups[selection.indices])) == 40


def test_near_duplicates_are_never_in_one_batch(selector: Selector, pool: SelectionView) -> None:
    noise = np.random.default_rng(5).normal(scale=0.01, size=pool.embeddings.shape)
    close = np.tile(pool.embeddings[:60], (4, 1)) + noise
    copies = replace(pool, embeddings=close.astype(np.float32))

    selection = pick(selector, copies, 40)

    assert len(selection) == 40
    assert len(np.unique(selection.indices % 60)) == 40


def test_only_as_many_as_are_not_alike_are_picked(selector: Selector, pool: SelectionView) -> None:
    copies = replace(pool, embeddings=np.tile(pool.embeddings[:10], (24, 1)))

    assert len(pick(selector, copies, 40)) == 10


def test_nothing_like_what_is_taken_is_picked(selector: Selector, pool: SelectionView) -> None:
    embeddings = np.tile(pool.embeddings[:60], (4, 1))
    same_text = np.where(np.arange(240) < 200, np.arange(240), 100)
    copies = replace(pool, embeddings=embeddings, groups=same_text, taken=np.array([100, 101]))

    selection = pick(selector, copies, 60)

    assert len(selection) > 10
    assert not np.isin(selection.indices % 60, [40, 41]).any()
    assert not np.isin(same_text[selection.indices], [100, 101]).any()


def test_of_identical_rows_one_is_picked(selector: Selector, pool: SelectionView) -> None:
    identical = replace(pool, embeddings=np.tile(pool.embeddings[:1], (240, 1)))

    assert len(pick(selector, identical, 25)) == 1


def test_where_likeness_does_not_count_identical_rows_are_picked(
    selector: Selector, pool: SelectionView
) -> None:
    identical = replace(
        pool, embeddings=np.tile(pool.embeddings[:1], (240, 1)), near_duplicate=NEVER_ALIKE
    )

    selection = pick(selector, identical, 25)

    assert len(np.unique(selection.indices)) == 25


def test_of_one_text_one_is_picked(selector: Selector, pool: SelectionView) -> None:
    assert len(pick(selector, replace(pool, groups=np.zeros(240, dtype=int)), 25)) == 1


def test_rows_of_zeros_are_picked_like_others(selector: Selector, pool: SelectionView) -> None:
    selection = pick(selector, replace(pool, embeddings=np.zeros_like(pool.embeddings)), 25)

    assert len(selection) == 25
    assert np.isfinite(selection.scores).all()


def test_equal_proposals_for_all_items_are_no_obstacle(
    selector: Selector, pool: SelectionView
) -> None:
    flat = proposing(pool, np.full_like(pool.proposal.values, 0.25))

    assert len(np.unique(pick(selector, flat, 25).indices)) == 25


def test_wholly_certain_proposals_are_no_obstacle(selector: Selector, pool: SelectionView) -> None:
    certain = np.eye(4, dtype=np.float32)[np.arange(240) % 4]

    assert len(np.unique(pick(selector, proposing(pool, certain), 25).indices)) == 25


def test_a_label_that_is_never_predicted_is_no_obstacle(
    selector: Selector, pool: SelectionView
) -> None:
    probabilities = np.pad(pool.proposal.values, ((0, 0), (2, 1)))

    assert len(pick(selector, proposing(pool, probabilities), 25)) == 25


def test_embeddings_that_are_not_finite_are_refused(
    selector: Selector, pool: SelectionView
) -> None:
    broken = np.full_like(pool.embeddings, np.nan)

    with pytest.raises(DataError, match=r"embedding of item \d+ has a value that is not finite"):
        pick(selector, replace(pool, embeddings=broken), 25)


def test_a_memory_mapped_float16_pool_gives_what_the_same_values_in_memory_give(
    selector: Selector, pool: SelectionView, tmp_path: Path
) -> None:
    mapped = np.lib.format.open_memmap(
        tmp_path / "embeddings.npy", mode="w+", dtype=np.float16, shape=pool.embeddings.shape
    )
    mapped[:] = pool.embeddings
    proposals = np.lib.format.open_memmap(
        tmp_path / "fused.npy", mode="w+", dtype=np.float16, shape=pool.proposal.values.shape
    )
    proposals[:] = pool.proposal.values
    on_disk = proposing(replace(pool, embeddings=mapped), proposals)
    in_memory = proposing(
        replace(pool, embeddings=np.asarray(mapped, dtype=np.float32)),
        np.asarray(proposals, dtype=np.float32),
    )

    np.testing.assert_array_equal(
        pick(selector, on_disk, 25).indices, pick(selector, in_memory, 25).indices
    )


@pytest.mark.parametrize(
    "section",
    [one for one in SECTIONS if not ONE_ROW_AN_ITEM & {*written(one).split()}],
    ids=written,
)
def test_items_of_several_rows_are_picked_like_others(
    section: dict[str, Any], pool: SelectionView
) -> None:
    """Rows of the third party's task: one for each word, and none for some items."""
    rng = np.random.default_rng(2)
    counts = rng.integers(0, 6, size=240)
    offsets = np.append(0, np.cumsum(counts))
    members = rng.dirichlet(np.ones(3), size=(3, offsets[-1])).astype(np.float32)
    ragged = replace(
        pool,
        proposal=Rows(members.mean(axis=0), offsets),
        task=Words(("yes", "no")),
        committee=lambda indices: tuple(Rows(each, offsets).take(indices) for each in members),
    )

    selection = pick(make_selector(section, ragged.task), ragged, 25)

    assert len(np.unique(selection.indices)) == 25
    assert np.isfinite(selection.scores).all()
