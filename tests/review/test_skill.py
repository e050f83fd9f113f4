"""Reviewers' skills and the true labels, found from each other."""

import numpy as np

from hilt.review.agreement import MISSING
from hilt.review.skill import estimate_skill


def test_two_good_reviewers_are_told_from_three_who_guess() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=300)
    skills = (0.95, 0.9, 0.1, 0.1, 0.1)
    said = np.stack(
        [np.where(rng.random(300) < skill, truth, rng.integers(3, size=300)) for skill in skills],
        axis=1,
    )

    found = estimate_skill(said, 3)

    voted = np.array([np.bincount(row, minlength=3).argmax() for row in said])
    right = (found.probabilities.argmax(axis=1) == truth).mean()
    assert right > 0.9
    assert right > (voted == truth).mean() + 0.03
    assert found.accuracy()[0] > 0.9 > 0.6 > found.accuracy()[2]


def test_a_reviewer_who_swaps_two_labels_is_read_rightly() -> None:
    truth = np.tile([0, 1], 50)
    said = np.stack([truth, truth, 1 - truth], axis=1)
    said[:10, 0] = said[:10, 1] = MISSING

    found = estimate_skill(said, 2)

    assert (found.probabilities.argmax(axis=1) == truth).all()


def test_probabilities_sum_to_one_and_a_lone_label_is_believed() -> None:
    found = estimate_skill(np.array([[0, MISSING], [1, 1], [0, 0]]), 2)

    assert np.allclose(found.probabilities.sum(axis=1), 1)
    assert found.probabilities.argmax(axis=1).tolist() == [0, 1, 0]


def test_few_labels_of_each_reviewer_do_no_worse_than_a_majority() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(4, size=75)
    right = {"majority": 0.0, "skill": 0.0}
    for _ in range(40):
        skills = rng.uniform(0.5, 0.95, 20)
        said = np.full((75, 20), MISSING)
        for item, reviewers in enumerate(rng.permuted(np.tile(np.arange(20), (75, 1)), axis=1)):
            five = reviewers[:5]
            wrong = rng.random(5) > skills[five]
            said[item, five] = (truth[item] + wrong * rng.integers(1, 4, size=5)) % 4
        votes = np.stack([(said == label).sum(axis=1) for label in range(4)], axis=1)
        found = estimate_skill(said, 4).probabilities
        right["majority"] += (votes.argmax(axis=1) == truth).mean() / 40
        right["skill"] += (found.argmax(axis=1) == truth).mean() / 40

    assert right["skill"] > right["majority"]
