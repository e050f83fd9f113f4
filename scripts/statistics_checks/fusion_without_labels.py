"""Before there are labels, skill decides what is fused, not sharpness nor copies.

Three panels whose accuracies are known, with five labels: two vague proposers beside a sharp one
that is worse; two that are nearly copies, and bad, beside two good ones; and three of which, on
most items, only one answers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from hilt.distributions import pool_logarithmically, softmax
from hilt.pipeline.proposing.fusion import trust_without_labels
from hilt.types import Floats, Integers
from scripts.statistics_checks.cells import Cells, Figure, Result, judged

ITEMS, LABELS = 2000, 5
SIGNAL = 2.3  # in standard deviations of the noise: the largest of five is then right on 85 %
VAGUE = 3.0  # by what that is divided in what the vague ones say
Panel = Callable[[np.random.Generator, Integers], Floats]


def check(cells: Cells) -> list[Result]:
    """Fuse three panels, and compare what comes out with the truth."""
    runs = cells.runs(1000, 5)
    sharp = cells.keep("fusion-sharp", partial(simulate, panel=sharp_and_vague, runs=runs))
    copies = cells.keep("fusion-copies", partial(simulate, panel=copies_beside_good, runs=runs))
    alone = cells.keep("fusion-alone", partial(simulate, panel=mostly_one_answers, runs=runs))
    return [
        judged("fusion: accuracy, two vague of .85 and a sharp of .7", sharp["accuracy"], 0.9, 1),
        judged("fusion: accuracy, two copies of .6, and .85, .8", copies["accuracy"], 0.9, 1),
        judged("fusion: confidence less accuracy, one of three", alone["surplus"], -0.03, 0.03),
    ]


def simulate(rng: np.random.Generator, panel: Panel, runs: int) -> dict[str, Figure]:
    """Fuse what a panel says of the items, and look at those where fewest answer."""
    accuracy, surplus = [], []
    for _ in range(runs):
        truth = rng.integers(LABELS, size=ITEMS)
        said = panel(rng, truth)
        fused = pool_logarithmically([*said], trust_without_labels(said).exponents)
        answers = (~np.isnan(said[:, :, 0])).sum(axis=0)
        looked_at = fused[answers == answers.min()]
        right = looked_at.argmax(axis=1) == truth[answers == answers.min()]
        accuracy.append(right.mean())
        surplus.append(looked_at.max(axis=1).mean() - right.mean())
    return {"accuracy": Figure.mean(accuracy), "surplus": Figure.mean(surplus)}


def sharp_and_vague(rng: np.random.Generator, truth: Integers) -> Floats:
    """Two proposers who are right on 85 % and vague, one who is right on 70 % and always sure."""
    said = [vague(rng, truth) for _ in range(2)]
    return np.stack([*said, one_hot(voted(rng, truth, 0.7))])


def copies_beside_good(rng: np.random.Generator, truth: Integers) -> Floats:
    """Two who are right on 60 % and nearly the same (kappa .93), beside two of 85 and 80 %."""
    first = voted(rng, truth, 0.6)
    second = np.where(rng.random(ITEMS) < 0.93, first, rng.integers(LABELS, size=ITEMS))
    votes = [first, second, voted(rng, truth, 0.85), voted(rng, truth, 0.8)]
    return np.stack([one_hot(each) for each in votes])


def mostly_one_answers(rng: np.random.Generator, truth: Integers) -> Floats:
    """Three who are right on 80 %: all answer a fifth of the items, and one of them the others."""
    said = np.stack([one_hot(voted(rng, truth, 0.8)) for _ in range(3)])
    who = rng.integers(3, size=ITEMS)
    silent = (np.arange(3)[:, None] != who) & (rng.random(ITEMS) > 0.2)
    said[silent] = np.nan
    return said


def vague(rng: np.random.Generator, truth: Integers) -> Floats:
    """Draw distributions whose likeliest label is right on 85 %, and that are vaguer than it."""
    noise = rng.standard_normal((ITEMS, LABELS))
    noise[np.arange(ITEMS), truth] += SIGNAL
    return softmax(SIGNAL * noise / VAGUE)


def voted(rng: np.random.Generator, truth: Integers, right: float) -> Integers:
    """Draw labels that are right on a share of the items, and else any other one."""
    wrong = (truth + rng.integers(1, LABELS, size=ITEMS)) % LABELS
    return np.where(rng.random(ITEMS) < right, truth, wrong)


def one_hot(votes: Integers) -> Floats:
    """Turn votes into distributions that leave no doubt."""
    return np.eye(LABELS, dtype=np.float32)[votes]
