"""What several proposers say, combined: how much each counts, with and without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize
from scipy.special import logsumexp

from hilt.distributions import (
    clear_label,
    log_of,
    negative_log_likelihood,
    pool_logarithmically,
    softmax,
)
from hilt.pipeline.measuring.calibration import PRIOR_LABELS
from hilt.types import Floats, Integers

MIN_SHARED = 20  # items that two proposers must both answer before agreement says anything
COPIES = 0.8  # agreement beyond chance above which two proposers are one source
ONE_SIDED = 0.9  # of all items to one label, without agreeing with anybody: that says nothing
ANY = 0.1  # agreement beyond chance below which there is none
EXPONENTS = (0.01, 100.0)  # bounds of what makes a proposer as sure as it is right


@dataclass(frozen=True, slots=True)
class Trust:
    """How much each proposer counts before there are labels.

    Attributes:
        tempering: Shape (m,): the exponent that makes a proposer as sure as it is right; 1 where
            nothing is known of that.
        shares: Shape (m,), in [0, 1]: 1 for one that errs independently of the others, less for
            one that errs as others do, 0 for one that is no better than a guess.
    """

    tempering: Floats
    shares: Floats

    @property
    def exponents(self) -> Floats:
        """Shape (m,): what `pool_logarithmically` takes."""
        return self.tempering * self.shares

    def beside_a_student(self) -> Trust:
        """Put a student first; beside it all proposers count as one source, for it learnt of them.

        They err alike more than agreement can tell: as independent ones they would be far too sure
        until there are hundreds of labels.
        """
        together = max(float(self.shares.sum()), 1e-9)
        return Trust(np.append(1.0, self.tempering), np.append(1.0, self.shares / together))


def trust_without_labels(proposals: Floats) -> Trust:
    """Say how much proposers count before there are labels, by how they agree with each other.

    Agreement says how often each is right, and it is made as sure as that: neither a sharp proposer
    nor a vague one counts for more than it is worth. Their product is then as sure as it should be,
    whoever abstains, if they err independently; those that err alike count less. Near copies, which
    would confirm each other whatever they say, are one source with one voice.

    Of two sources none can be told to be the better one: each is taken to be right as often as is
    likely for either. One alone is taken at its word. One that gives nearly every item the same
    label, and agrees with no other beyond chance, counts nothing beside others. Agreement cannot
    tell errors that sources share from skill; labels do that (`weigh`).

    Args:
        proposals: Shape (m, n, n_labels); NaN rows are abstentions, as are those whose likeliest
            labels are equal.

    Source: Dawid and Skene 1979 for the accuracies; Genest and Zidek 1986 for the product.
    """
    n_labels = proposals.shape[2]
    votes = clear_label(proposals)
    source = _sources(votes, n_labels)
    joint = np.stack([_first_vote(votes[source == each]) for each in range(source.max() + 1)])
    idle = _says_nothing(joint, n_labels)
    accuracy = np.full(len(joint), np.nan)
    accuracy[~idle] = _source_accuracies(joint[~idle], n_labels)
    tempering = [
        _temper(rows[vote >= 0], right)
        for rows, vote, right in zip(proposals, votes, accuracy[source], strict=True)
    ]
    counts = ~idle & ((accuracy > 1 / n_labels) | np.isnan(accuracy))
    return Trust(np.array(tempering), (counts / np.bincount(source))[source])


def _sources(votes: Integers, n_labels: int) -> Integers:
    """Number the sources: shape (m,), equal for proposers that are nearly copies of each other."""
    m = len(votes)
    source = np.arange(m)
    for first in range(m):
        for second in range(first):
            if _agreement_beyond_chance(votes[first], votes[second], n_labels) > COPIES:
                source[source == source[first]] = source[second]
    return np.unique(source, return_inverse=True)[1]


def _agreement_beyond_chance(first: Integers, second: Integers, n_labels: int) -> float:
    """Cohen's kappa of two voters; 0 where they share too few items."""
    both = (first >= 0) & (second >= 0)
    if both.sum() < MIN_SHARED:
        return 0.0
    counts = [np.bincount(each[both], minlength=n_labels) for each in (first, second)]
    chance = float(counts[0] @ counts[1]) / both.sum() ** 2
    agreed = float((first[both] == second[both]).mean())
    return (agreed - chance) / (1 - chance) if chance < 1 else 0.0


def _first_vote(votes: Integers) -> Integers:
    """Take what the first member of a source says that does not abstain: shape (n,)."""
    vote: Integers = votes[0]
    for other in votes[1:]:
        vote = np.where(vote >= 0, vote, other)
    return vote


def _says_nothing(votes: Integers, n_labels: int) -> npt.NDArray[np.bool_]:
    """Tell which sources give nearly every item one label and agree with no other: shape (m,).

    They would agree with each other, and so vouch for each other. None is meant where all are so.
    """
    counts = np.stack([np.bincount(each[each >= 0], minlength=n_labels) for each in votes])
    idle = counts.max(axis=1) >= ONE_SIDED * votes.shape[1]
    for place in np.flatnonzero(idle):
        agreement = [
            _agreement_beyond_chance(votes[place], other, n_labels)
            for other in np.delete(votes, place, axis=0)
        ]
        idle[place] = max(agreement, default=0.0) < ANY
    return np.asarray(idle & ~idle.all())


def _source_accuracies(votes: Integers, n_labels: int) -> Floats:
    """Estimate how often each source is right; NaN for one that shares too few items."""
    shared = votes[:, (votes >= 0).sum(axis=0) >= 2]
    compared = (shared >= 0).sum(axis=1) >= MIN_SHARED
    if compared.sum() == 2:
        first, second = shared[compared]
        both = (first >= 0) & (second >= 0)
        if both.sum() < MIN_SHARED:
            return np.full(len(votes), np.nan)
        either = _accuracy_of_either(first[both] == second[both], n_labels)
        return np.where(compared, either, np.nan)
    return np.where(compared, vote_accuracies(shared, n_labels), np.nan)


def _accuracy_of_either(agreed: npt.NDArray[np.bool_], n_labels: int) -> float:
    """Average the accuracy of one of two sources over all that would agree as they do.

    Args:
        agreed: Shape (n,), whether they say the same.
        n_labels: How many labels there are.

    Returns:
        The posterior mean, if any two accuracies from that of a guess on are as likely at first.
    """
    grid = np.linspace(1 / n_labels, 1, 101)[1:-1]
    first, second = np.meshgrid(grid, grid)
    expected = first * second + (1 - first) * (1 - second) / (n_labels - 1)
    logs = np.log(expected) * agreed.sum() + np.log1p(-expected) * (~agreed).sum()
    return float(np.average(first, weights=np.exp(logs - logs.max())))


def _temper(rows: Floats, accuracy: float) -> float:
    """Find the exponent that makes a proposer, on the whole, as sure as it is right.

    Args:
        rows: Shape (n, n_labels), what it says where one label is likeliest.
        accuracy: How often it is right; NaN where that is not known.
    """
    if np.isnan(accuracy) or accuracy <= 1 / rows.shape[1]:
        return 1.0
    logs = log_of(rows)

    def surplus(log_exponent: float) -> float:
        sure = softmax(np.float32(np.exp(log_exponent)) * logs).max(axis=1)
        return float(sure.mean()) - accuracy

    low, high = np.log(EXPONENTS)
    if surplus(low) >= 0:
        return EXPONENTS[0]
    if surplus(high) <= 0:
        return EXPONENTS[1]
    return float(np.exp(brentq(surplus, low, high, xtol=1e-3)))


def vote_accuracies(votes: Integers, n_labels: int, rounds: int = 50) -> Floats:
    """Estimate how often each voter is right, from nothing but the votes.

    Args:
        votes: Shape (m, n), label positions, -1 where a voter abstained.
        n_labels: How many labels there are.
        rounds: Of expectation and maximisation.

    Returns:
        Shape (m,), in (0, 1).

    Source: Dawid and Skene 1979, with one accuracy for each voter ("one coin"); errors are spread
    evenly over the other labels, and every label is as likely.
    """
    cast = votes >= 0
    accuracy = np.full(len(votes), 0.7)
    for _ in range(rounds):
        weight = np.log(accuracy * (n_labels - 1) / (1 - accuracy))
        support = np.zeros((votes.shape[1], n_labels))  # log-odds of each label being true
        for voter, (voted, vote) in enumerate(zip(cast, votes, strict=True)):
            support[voted, vote[voted]] += weight[voter]
        truth = softmax(support)
        right = [truth[voted, vote[voted]].sum() for voted, vote in zip(cast, votes, strict=True)]
        accuracy = (np.array(right) + 1) / (cast.sum(axis=1) + 2)  # a prior that keeps off 0 and 1
    return accuracy


def weigh(distributions: Sequence[Floats], positions: Integers, prior: Trust) -> Floats:
    """Weigh several distributions on labels that none of them has seen.

    Each is first tempered alone. Its share is then the prior of its weight in the mixture, so that
    an uninformative one ends near 0 even next to one that already explains the labels.

    Args:
        distributions: Each of shape (n, n_labels), a student's out of fold; NaN rows abstain.
        positions: Shape (n,), what people said.
        prior: How much each counts without labels.

    Returns:
        Shape (n_distributions,), not negative: exponents for `pool_logarithmically`.
    """
    alone = np.array(
        [
            _temper_on_labels(each, positions, exponent)
            for each, exponent in zip(distributions, prior.tempering, strict=True)
        ]
    )
    tempered = [_power(each, exponent) for each, exponent in zip(distributions, alone, strict=True)]
    return np.round(alone * fit_pool_weights(tempered, positions, prior.shares), 4)


def _temper_on_labels(rows: Floats, positions: Integers, believed: float) -> float:
    """Find the exponent of one distribution that explains labels best.

    A handful of labels moves it a little, from what agreement says or from its own word: whichever
    explains them better.
    """

    def fit(start: float) -> tuple[float, float]:
        tempered = _power(rows, start)
        weight = fit_pool_weights([tempered], positions, np.ones(1))
        explained = pool_logarithmically([tempered], weight)
        misfit = negative_log_likelihood(explained, positions).sum()
        return float(misfit + PRIOR_LABELS * (weight[0] - 1) ** 2), start * float(weight[0])

    return min(fit(1.0), fit(believed))[1]


def _power(rows: Floats, exponent: float) -> Floats:
    return softmax(np.float32(exponent) * log_of(rows))


def fit_pool_weights(
    distributions: Sequence[Floats],
    positions: Integers,
    prior: Floats,
    prior_labels: float = PRIOR_LABELS,
) -> Floats:
    """Find the weights of `pool_logarithmically` from predictions on unseen items.

    Args:
        distributions: Each of shape (n, n_labels); a student's rows must be out of fold.
        positions: Shape (n,), the true labels.
        prior: Shape (n_distributions,), the weights to use when there are no labels.
        prior_labels: How many labels the belief in `prior` is worth, so that the labels decide
            more and more.

    Returns:
        Shape (n_distributions,), not negative.
    """
    logs = np.stack([log_of(each) for each in distributions]).astype(np.float64)
    true = logs[:, np.arange(len(positions)), positions]  # (m, n)

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits = np.tensordot(weights, logs, axes=1)  # (n, n_labels)
        normaliser = logsumexp(logits, axis=1)
        fused = np.exp(logits - normaliser[:, None])
        misfit = (normaliser - weights @ true).sum()
        slope = (logs * fused).sum(axis=(1, 2)) - true.sum(axis=1)
        distance = weights - prior
        return (
            float(misfit + prior_labels * (distance**2).sum()),
            slope + 2 * prior_labels * distance,
        )

    result = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=[(0, 3)] * len(prior))
    return np.asarray(np.round(result.x, 4), dtype=np.float64)
