from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hilt.errors import DataError
from hilt.selectors.hybrid import Hybrid
from hilt.types import Integers, Selection, SelectionView
from tests.selectors.proposing import proposing

Make = Callable[..., SelectionView]


@pytest.fixture
def bundles(make_view: Make) -> SelectionView:
    """Four bundles of 40, 20, 10 and 5 items, each predicted to have a label of its own."""
    rng = np.random.default_rng(2)
    label = np.repeat(np.arange(4), [40, 20, 10, 5])
    rows = np.eye(16)[label] + rng.normal(scale=0.12, size=(75, 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    lead = rng.uniform(0.5, 0.9, size=75)
    probabilities = np.repeat((1 - lead)[:, None] / 3, 4, axis=1)
    probabilities[np.arange(75), label] = lead
    return make_view(rows.astype(np.float32), probabilities, near_duplicate=0.999)


def bundle_of(indices: Integers) -> list[int]:
    bundles: list[int] = np.searchsorted([40, 60, 70, 75], indices, side="right").tolist()
    return bundles


def after_a_label(view: SelectionView) -> SelectionView:
    return replace(
        view, labelled=np.array([0]), labels=np.array([0]), candidates=view.candidates[1:]
    )


def pick(view: SelectionView, k: int, seed: int = 0, shortlist: int = 10) -> Selection:
    return Hybrid(shortlist).select(view, k, np.random.default_rng(seed))


def test_the_head_of_the_first_batch_has_every_predicted_label_the_most_frequent_first(
    bundles: SelectionView,
) -> None:
    selection = pick(bundles, 12)

    assert bundle_of(selection.indices)[:4] == [0, 1, 2, 3]
    assert selection.reasons == ("coverage",) * 12


def test_the_first_batch_is_shared_by_the_root_of_the_predicted_counts(
    bundles: SelectionView,
) -> None:
    # roots 6.3, 4.5, 3.2, 2.2 of 16.2
    assert np.bincount(bundle_of(pick(bundles, 16).indices)).tolist() == [6, 5, 3, 2]


def test_a_first_batch_smaller_than_the_labels_takes_the_most_frequent(
    bundles: SelectionView,
) -> None:
    assert bundle_of(pick(bundles, 2).indices) == [0, 1]


def test_with_one_place_per_label_the_pick_is_the_item_nearest_to_the_mean(
    bundles: SelectionView,
) -> None:
    selection = pick(bundles, 4)

    mean = bundles.embeddings[:40].mean(axis=0)
    cosines = bundles.embeddings[:40] @ mean / np.linalg.norm(mean)
    assert selection.indices[0] == cosines.argmax()
    assert selection.scores[0] == pytest.approx(cosines.max(), abs=1e-5)


def test_one_bad_embedding_anywhere_in_a_first_pool_is_found(bundles: SelectionView) -> None:
    bundles.embeddings[37, 3] = np.inf

    with pytest.raises(DataError, match="embedding of item 37 "):
        pick(bundles, 4)


def test_where_clusters_run_short_the_most_uncertain_fill_up(bundles: SelectionView) -> None:
    same_text = np.where(np.arange(75) < 40, 0, np.arange(75))

    selection = pick(replace(bundles, groups=same_text), 20)

    assert len(selection) == 20
    assert selection.reasons[-1] == "uncertain"
    assert bundle_of(selection.indices).count(0) == 1


def test_later_batches_are_uncertain_and_most_uncertain_first(bundles: SelectionView) -> None:
    selection = pick(after_a_label(bundles), 8)

    assert selection.reasons == ("uncertain",) * 8
    assert (np.diff(selection.scores) <= 0).all()


def test_later_batches_come_from_the_shortlist(bundles: SelectionView) -> None:
    view = after_a_label(bundles)
    uncertain = 1 - (np.sort(view.proposal.values, axis=1)[:, -1] * 4 - 1) / 3
    shortlist = np.argsort(-uncertain[1:])[:16] + 1

    assert np.isin(pick(view, 8, shortlist=2).indices, shortlist).all()


def test_a_shortlist_of_one_batch_is_the_most_uncertain_items(bundles: SelectionView) -> None:
    view = after_a_label(bundles)
    uncertain = -view.proposal.values.max(axis=1)

    assert (
        pick(view, 8, shortlist=1).indices.tolist() == (np.argsort(-uncertain[1:])[:8] + 1).tolist()
    )


def test_later_batches_reach_every_uncertain_bundle(bundles: SelectionView) -> None:
    # the largest bundle is the most uncertain, so that margin alone would ask about nothing else
    lead = np.where(np.arange(75) < 40, 0.4, 0.45) + np.arange(75) / 10_000
    probabilities = np.stack([lead, *[(1 - lead) / 3] * 3], axis=1)

    selection = pick(after_a_label(proposing(bundles, probabilities)), 8)

    assert set(bundle_of(selection.indices)) == {0, 1, 2, 3}
