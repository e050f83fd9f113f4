import faiss
import numpy as np
import pytest

from hilt.selectors.arithmetic.clustering import centroids, nearest_members, spread_rows
from hilt.types import Floats


@pytest.fixture
def three_bundles() -> Floats:
    """Thirty rows around each of three axes."""
    rng = np.random.default_rng(1)
    rows = np.repeat(np.eye(3), 30, axis=0) + rng.normal(scale=0.05, size=(90, 3))
    unit: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit.astype(np.float32)


def test_the_centre_of_one_cluster_is_the_mean_direction(three_bundles: Floats) -> None:
    centre = centroids(three_bundles, 1, seed=0)

    mean = three_bundles.mean(axis=0)
    np.testing.assert_allclose(centre, [mean / np.linalg.norm(mean)], atol=1e-6)


def test_weights_pull_the_centre(three_bundles: Floats) -> None:
    weights = np.repeat([1.0, 0.0, 0.0], 30)

    centre = centroids(three_bundles, 1, seed=0, weights=weights)

    assert centre[0, 0] > 0.99


def test_weights_of_zero_leave_centres_finite(three_bundles: Floats) -> None:
    assert np.isfinite(centroids(three_bundles, 5, seed=0, weights=np.zeros(90))).all()


def test_with_no_more_rows_than_clusters_the_rows_are_the_centres(three_bundles: Floats) -> None:
    np.testing.assert_array_equal(centroids(three_bundles[:4], 4, seed=0), three_bundles[:4])


def test_the_number_of_threads_makes_no_difference_and_is_left_alone(
    three_bundles: Floats,
) -> None:
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(2)
    on_two = centroids(three_bundles, 7, seed=4)
    left_at = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    on_one = centroids(three_bundles, 7, seed=4)
    faiss.omp_set_num_threads(threads)

    np.testing.assert_array_equal(on_one, on_two)
    assert left_at == 2


def test_nothing_is_printed(three_bundles: Floats, capfd: pytest.CaptureFixture[str]) -> None:
    centroids(three_bundles, 60, seed=0)

    assert capfd.readouterr() == ("", "")


def test_the_member_nearest_to_each_centre_is_found() -> None:
    rows = np.array([[0, 1], [0.6, 0.8], [1, 0], [0.8, 0.6]], dtype=np.float32)

    assert nearest_members(rows, rows[[2, 0]]).tolist() == [2, 0]


def test_a_cluster_without_members_has_no_nearest_one() -> None:
    centres = np.array([[0, 1, 0], [0, 0.8, 0.6]], dtype=np.float32)

    assert nearest_members(np.eye(3, dtype=np.float32)[:2], centres).tolist() == [1]


def test_spread_rows_hit_every_one_of_unequal_bundles() -> None:
    bundle = np.repeat(np.arange(5), [400, 300, 200, 80, 20])
    noise = np.random.default_rng(0).normal(scale=0.005, size=(1000, 8))
    rows = (np.eye(8)[bundle] + noise).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)

    for seed in range(5):
        assert sorted(spread_rows(rows, 5, seed)[:, :5].argmax(axis=1)) == [0, 1, 2, 3, 4]


def test_rows_that_are_all_alike_can_be_spread() -> None:
    assert len(spread_rows(np.ones((6, 1), dtype=np.float32), 3, seed=0)) == 3


def test_clusters_start_where_they_are_told(three_bundles: Floats) -> None:
    start = three_bundles[[0, 30, 60]]

    centres = centroids(three_bundles, 3, seed=0, start=start)

    assert (centres @ start.T).argmax(axis=1).tolist() == [0, 1, 2]
