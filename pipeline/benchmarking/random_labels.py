"""What a user does without hilt: label items drawn at random, and train on them alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hilt.distributions import negative_log_likelihood
from hilt.errors import ConfigError
from hilt.metrics import measure
from hilt.pipeline.benchmarking.arms import Row, Run, Stopwatch
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.reviewing.answer_files import simulated_reviewer
from hilt.pipeline.students.base import Examples, Student, predict_rows, take
from hilt.pipeline.students.linear import LinearStudent, usual_regularisation
from hilt.pipeline.training.gathering import labelled_test
from hilt.pipeline.training.training_data import assign_folds
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.pipeline.workspace.workspace import open_workspace
from hilt.proposers.base import EMBEDDERS
from hilt.proposers.models.encoder import resolve_device
from hilt.types import Floats, Integers, Items, Value

PLAIN_GROWTH = 1.25  # beyond the budget the plain arm goes on by this factor, up to the whole pool
STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)  # of C, of which cross-validation takes one
FOLDS, MANY_LABELS = 5, 1000  # of so many labels one fold of the five says enough
# Passes over the labels, and steps: few labels need more passes. Chosen by held-out texts of the
# training files of TREC and tweet_emotion (docs/benchmarks.md, "How defaults were chosen").
SETFIT_EPOCHS, SETFIT_STEPS = 10, 20  # at least


@dataclass(frozen=True, slots=True)
class RandomLabels:
    """The pool in a random order of its own for each seed, with the true labels.

    Attributes:
        files: Where the pool, the test set and their embeddings are.
        seed: Of the order, which is the same for every arm that labels at random.
        order: Shape (n_labelled,), positions in the pool.
        answers: The true answers, by position in the pool.
        review_seconds: Shape (n_labelled,), what the reviewer took for them, added up.
    """

    files: WorkspaceFiles
    seed: int
    order: Integers
    answers: Mapping[int, Value]
    review_seconds: Floats

    @classmethod
    def draw(cls, files: WorkspaceFiles, seed: int) -> RandomLabels:
        """Draw the order of a seed."""
        answers = files.pool.known_answers(files.task)
        order = generator(seed, Stream.PLAIN).permutation(np.array(list(answers), dtype=np.int64))
        reviewer, shown = simulated_reviewer(files), files.pool.shown(order)
        taken = [
            reviewer.seconds_for(item_id, each.text)
            for item_id, each in zip(files.pool.ids(order), shown, strict=True)
        ]
        return cls(files, seed, order, answers, np.cumsum(taken))

    def known(self, count: int) -> Examples:
        """Give the first so many items with their labels."""
        rows = np.sort(self.order[:count])
        items = self.files.pool.items(rows)
        vectors = self.files.embeddings.open()[rows].astype(np.float32)
        known = Items(items.ids, items.contents, vectors)
        values = [self.answers[row] for row in rows.tolist()]
        return Examples(known, self.files.task.rows.encode(values, items.contents))

    def row(self, count: int, student: Student, watch: Stopwatch) -> Row:
        """Measure a student that learnt so many labels."""
        task, (test, true) = self.files.task, labelled_test(self.files)
        found = measure(task, predict_rows(student, test, task), true, test.contents)
        return {
            "labels": count,
            "accuracy": found.accuracy,
            "macro_f1": found.macro_f1,
            "review_seconds": float(self.review_seconds[count - 1]),
            "kind": student.kind,
            **watch.lap(),
        }


def run_setfit(run: Run) -> Iterator[Row]:
    """Do what a good engineer does without hilt: random labels, a contrastively tuned encoder.

    No label descriptions, proposals, self-training, folds or blend.

    Source: Tunstall et al. 2022 (SetFit).
    """
    from hilt.pipeline.students.contrastive import ContrastiveStudent

    watch = Stopwatch()
    workspace = open_workspace(run.base)
    settings, labels = workspace.config.student, RandomLabels.draw(workspace, run.seed)
    for count in run.at:
        if count in run.done:
            continue
        student = ContrastiveStudent.fit(
            labels.known(count),
            settings.contrastive,
            encoder=settings.encoder_of("contrastive", workspace.config.embedder.source),
            device=resolve_device(run.device),
            seed=run.seed,
            regularisation=settings.regularisation,
            epochs=setfit_epochs(count, settings.contrastive.batch_size),
        )
        yield labels.row(count, student, watch)


def setfit_epochs(labels: int, batch_size: int) -> int:
    """Say how often the encoder sees every label."""
    steps = math.ceil(labels / batch_size)  # of one pass
    return max(SETFIT_EPOCHS, math.ceil(SETFIT_STEPS / steps))


def check_setfit(config: Config) -> None:
    """Make sure that there is an encoder to tune.

    Raises:
        ConfigError: If the embedder is a class of the user's, and no other encoder is named.
    """
    if EMBEDDERS.is_own(config.embedder.kind) and config.student.contrastive.model is None:
        raise ConfigError(
            f"The arm setfit tunes an encoder, but embedder.kind {config.embedder.kind} cannot be"
            " tuned; name an encoder as `student.contrastive.model`, or leave setfit out of"
            " --arms."
        )


def run_plain(run: Run) -> Iterator[Row]:
    """Do the least: random labels, and logistic regression on the embeddings of the pool."""
    watch = Stopwatch()
    workspace = open_workspace(run.base)
    labels = RandomLabels.draw(workspace, run.seed)
    for count in run.at:
        if count not in run.done:
            known = labels.known(count)
            strength = choose_strength(known, generator(run.seed, Stream.PLAIN, count))
            yield labels.row(count, LinearStudent.fit(known, strength), watch)


def plain_counts(at: tuple[int, ...], n_items: int) -> tuple[int, ...]:
    """Go on from the last label count by a factor until the whole pool is labelled."""
    counts = [count for count in at if count < n_items]
    while counts and counts[-1] < n_items:
        counts.append(min(round(counts[-1] * PLAIN_GROWTH) + 1, n_items))
    return tuple(counts) or (n_items,)


def choose_strength(known: Examples, rng: np.random.Generator) -> float:
    """Choose C by cross-validation: the least log-loss over five folds, spread over the labels.

    From a thousand labels on one of the folds is enough. Where no label has two items, nothing can
    be validated: then what is usual.
    """
    targets = known.targets.rows.values
    positions, n_labels = targets.argmax(axis=1), targets.shape[1]
    if np.bincount(positions).max() < 2 or len(np.unique(positions)) < 2:
        return usual_regularisation(n_labels)
    folds = assign_folds(positions, np.arange(len(known)), FOLDS, rng)
    losses = np.zeros(len(STRENGTHS))
    for fold in np.unique(folds)[: 1 if len(known) >= MANY_LABELS else FOLDS]:
        held_out = np.flatnonzero(folds == fold)
        rows, student = np.flatnonzero(folds != fold), None
        part = Examples(take(known.items, rows), known.targets.take(rows))
        for place, strength in enumerate(STRENGTHS):
            student = LinearStudent.fit(part, strength, student)
            predicted = student.predict_proba(take(known.items, held_out))
            losses[place] += negative_log_likelihood(predicted, positions[held_out]).sum()
    return STRENGTHS[int(losses.argmin())]
