"""Nearest neighbours: exact on small pools, nearly so on larger ones."""

from pathlib import Path

import numpy as np
import pytest

from hilt.errors import DataError
from hilt.selectors.arithmetic import neighbours
from hilt.selectors.arithmetic.neighbours import (
    build_graph,
    cut_into_lists,
    merge_neighbours,
    nearest_among,
    search_list,
)
from hilt.types import Floats, Integers


def unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def clustered(n_items: int, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(12, 24))
    return unit(centres[rng.integers(12, size=n_items)] + rng.normal(size=(n_items, 24)) / 2)


def exact(rows: Floats, k: int) -> Integers:
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -2)
    return np.argsort(-cosines, axis=1, kind="stable")[:, :k]


@pytest.fixture
def small_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a pool of a thousand items count as a large one."""
    monkeypatch.setattr(neighbours, "WHOLE", 500)


def test_of_three_directions_the_nearer_comes_first() -> None:
    angles = np.radians([0, 10, 30])
    rows = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)

    graph = build_graph(rows, 2, np.random.default_rng(0))

    assert graph.neighbours.tolist() == [[1, 2], [0, 2], [1, 0]]
    np.testing.assert_allclose(graph.cosines[0], np.cos(angles[1:]), atol=1e-6)


def test_a_small_pool_is_compared_whole() -> None:
    rows = clustered(300)

    np.testing.assert_array_equal(
        build_graph(rows, 5, np.random.default_rng(0)).neighbours, exact(rows, 5)
    )


@pytest.mark.usefixtures("small_lists")
def test_a_large_pool_finds_nearly_all_and_says_how_many() -> None:
    rows = clustered(2000)
    cuts, recall = cut_into_lists(rows, np.arange(len(rows)), np.random.default_rng(0))
    graph = build_graph(rows, 10, np.random.default_rng(0))

    found = [np.isin(graph.neighbours[i], row).mean() for i, row in enumerate(exact(rows, 10))]

    assert [len(cut) for cut in cuts] == [45] * 3
    assert cuts[0].near.shape[1] <= 8
    assert np.mean(found) >= 0.9
    assert np.mean(found) == pytest.approx(recall, abs=0.05)


@pytest.mark.usefixtures("small_lists")
def test_lists_hold_every_item_once_and_are_near_themselves_first() -> None:
    cuts, _ = cut_into_lists(clustered(1000), np.arange(1000), np.random.default_rng(0))

    for cut in cuts:
        assert sorted(cut.order) == list(range(1000))
        assert cut.near[:, 0].tolist() == list(range(len(cut)))
    assert not np.array_equal(cuts[0].order, cuts[1].order)


@pytest.mark.usefixtures("small_lists")
def test_items_that_take_no_part_are_in_no_list_and_nobodys_neighbour() -> None:
    rows, some = clustered(2000), np.arange(0, 2000, 2)
    cuts, recall = cut_into_lists(rows, some, np.random.default_rng(0))
    alone, expected_recall = cut_into_lists(rows[some], np.arange(1000), np.random.default_rng(0))

    assert sorted(cuts[0].order) == some.tolist()
    assert recall == expected_recall
    for number in range(len(cuts[0])):
        _, found, cosines = search_list(rows, cuts[0], number, 4)
        _, expected, same = search_list(rows[some], alone[0], number, 4)
        np.testing.assert_array_equal(found, some[expected])
        np.testing.assert_array_equal(cosines, same)


@pytest.mark.usefixtures("small_lists")
def test_the_same_seed_cuts_the_same_lists() -> None:
    first, second = (
        cut_into_lists(clustered(1000), np.arange(1000), np.random.default_rng(3))[0]
        for _ in range(2)
    )

    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.order, other.order)
        np.testing.assert_array_equal(one.near, other.near)


def test_an_item_is_never_its_own_neighbour_even_among_many_copies() -> None:
    rows = np.repeat(clustered(3), 40, axis=0)

    graph = build_graph(rows, 5, np.random.default_rng(0))

    assert not (graph.neighbours == np.arange(120)[:, None]).any()
    np.testing.assert_allclose(graph.cosines, 1, atol=1e-5)


def test_what_is_missing_in_a_tiny_pool_is_marked() -> None:
    graph = build_graph(clustered(3), 5, np.random.default_rng(0))

    assert (graph.neighbours[:, 2:] == -1).all()
    assert (graph.cosines[:, 2:] == -1).all()
    assert (graph.neighbours[:, :2] >= 0).all()


def test_one_item_has_no_neighbour() -> None:
    assert build_graph(clustered(1), 3, np.random.default_rng(0)).neighbours.tolist() == [[-1] * 3]


def test_a_row_that_is_not_finite_is_refused() -> None:
    rows = clustered(20)
    rows[7, 3] = np.nan

    with pytest.raises(DataError, match="embedding of item 7"):
        build_graph(rows, 3, np.random.default_rng(0))


def test_a_memory_mapped_file_gives_what_the_same_values_give(tmp_path: Path) -> None:
    rows = clustered(200).astype(np.float16)
    np.save(tmp_path / "rows.npy", rows)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")

    first = build_graph(mapped, 4, np.random.default_rng(0))
    second = build_graph(rows.astype(np.float32), 4, np.random.default_rng(0))

    np.testing.assert_array_equal(first.neighbours, second.neighbours)


def test_of_two_cuts_the_nearest_are_kept_and_each_once() -> None:
    neighbours, cosines = merge_neighbours(
        np.array([[4, 9, -1], [3, -1, -1]]),
        np.array([[0.9, 0.5, -1.0], [0.2, -1.0, -1.0]]),
        np.array([[9, 7, 2], [3, -1, -1]]),
        np.array([[0.5, 0.5, 0.1], [0.2, -1.0, -1.0]]),
    )

    assert neighbours.tolist() == [[4, 7, 9], [3, -1, -1]]
    assert cosines.tolist() == [[0.9, 0.5, 0.5], [0.2, -1.0, -1.0]]


@pytest.mark.usefixtures("small_lists")
def test_cut_by_cut_and_list_by_list_is_the_same_as_all_at_once() -> None:
    rows = clustered(1000)
    cuts, _ = cut_into_lists(rows, np.arange(len(rows)), np.random.default_rng(0))
    graph = build_graph(rows, 4, np.random.default_rng(0))
    near: list[dict[int, float]] = [{} for _ in rows]

    for cut in cuts:
        for number in range(len(cut)):
            for item, *found in zip(*search_list(rows, cut, number, 4), strict=True):
                near[item] |= dict(zip(*found, strict=True))

    for item, cosines in enumerate(near):
        assert (
            sorted(cosines, key=cosines.__getitem__)[-4:][::-1] == graph.neighbours[item].tolist()
        )


def test_the_nearest_among_some_are_found_exactly() -> None:
    rows = clustered(400)
    some = np.arange(0, 400, 7)
    indices = np.array([3, 5, 14])

    places, cosines = nearest_among(rows, indices, some, 3)

    expected = rows[indices] @ rows[some].T
    np.testing.assert_array_equal(places, np.argsort(-expected, axis=1)[:, :3])
    np.testing.assert_allclose(cosines, -np.sort(-expected, axis=1)[:, :3], atol=1e-6)


def test_the_nearest_among_many_are_found_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = clustered(400)
    indices, some = np.arange(50), np.arange(50, 400)
    expected, cosines = nearest_among(rows, indices, some, 5)

    monkeypatch.setattr(neighbours, "BLOCK", 30)
    places, found = nearest_among(rows, indices, some, 5)

    np.testing.assert_array_equal(places, expected)
    np.testing.assert_allclose(found, cosines, atol=1e-6)


def test_no_more_are_found_than_there_are() -> None:
    places, _ = nearest_among(clustered(20), np.arange(5), np.array([9]), 4)

    assert places.tolist() == [[0]] * 5
