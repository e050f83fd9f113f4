"""Embeddings and proposals for the whole pool, and the one distribution fused from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from hilt.pipeline.arrays import ArrayFile, Maker, blocks, fingerprint
from hilt.pipeline.calibration import pool_logarithmically
from hilt.pipeline.configuration.proposers import ProposerSection
from hilt.pipeline.configuration.section import Custom
from hilt.pipeline.pools.pool import Pool, Where
from hilt.pipeline.runner import make_array
from hilt.pipeline.students.saved import load_student
from hilt.pipeline.tables import TrainingRow
from hilt.pipeline.workspace import Workspace
from hilt.proposers.base import EMBEDDERS, PROPOSERS, Context, Embedder, Proposer
from hilt.types import Floats, Items


@dataclass(frozen=True, slots=True)
class ProposeResult:
    """What `propose` did.

    Attributes:
        made: The arrays that were made now; the others were current.
        too_long: Texts of which the end was not read, for they are over the encoder's length.
        label_counts: How often each label is the likeliest in the fused proposal.
    """

    items: int
    dimension: int
    proposers: tuple[str, ...]
    made: tuple[str, ...]
    too_long: int
    label_counts: dict[str, int]


class Proposals:
    """What the proposers other than the student say, calibrated and combined.

    Args:
        workspace: Where the arrays are.
        embedder: What proposers compare with.
    """

    def __init__(self, workspace: Workspace, embedder: Embedder) -> None:
        self.workspace = workspace
        self.proposers: dict[str, Proposer] = {}
        self.makers: dict[str, Maker] = {}
        labels = workspace.config.label_list
        context = Context(labels, embedder, workspace.device, workspace.folder / "answers")
        for section in workspace.config.proposers:
            name = _free_name(section, self.proposers)
            settings = _settings(section)
            build = PROPOSERS.load(section.kind)
            self.proposers[name] = build(context, **settings)
            self.makers[name] = {
                "proposer": section.model_dump(),
                "labels": [[label.name, label.description] for label in labels],
                "embeddings": _embeddings_maker(embedder, workspace.pool),
            }

    def rows(self, where: Where) -> Floats:
        """Read what is proposed for some items of the pool: shape (n, n_labels), rows sum to 1."""
        return self._combine([array[where] for array in self._arrays.values()])

    def propose(self, items: Items) -> Floats:
        """Propose labels for other items, calibrated as the pool is."""
        return self._combine([proposer.propose(items) for proposer in self.proposers.values()])

    @cached_property
    def _arrays(self) -> dict[str, Floats]:
        files = {name: self.workspace.proposal(name) for name in self.proposers}
        return {
            name: self.workspace.required(file, "propose").open() for name, file in files.items()
        }

    @cached_property
    def _means(self) -> list[Floats | None]:
        """Mean proposal over the pool of each proposer that wants batch calibration."""
        return [
            _mean(self._arrays[name]) if getattr(proposer, "calibration", "") == "batch" else None
            for name, proposer in self.proposers.items()
        ]

    def _combine(self, raw: Sequence[Floats]) -> Floats:
        from hilt.proposers.zero_shot import batch_calibrate

        calibrated = [
            np.asarray(rows, dtype=np.float32) if mean is None else batch_calibrate(rows, mean)
            for rows, mean in zip(raw, self._means, strict=True)
        ]
        return pool_logarithmically(calibrated, np.full(len(raw), 1 / len(raw)))


def load_embedder(workspace: Workspace) -> Embedder:
    """Build the configured embedder; its model opens on first use."""
    section = workspace.config.embedder
    settings = section.model_dump(exclude={"kind"})
    embedder: Embedder = EMBEDDERS.load(section.kind)(device=workspace.device, **settings)
    return embedder


def propose(workspace: Workspace) -> ProposeResult:
    """Embed the pool, let every proposer propose, and fuse; what is current is not made again.

    Raises:
        ModelError: If a model cannot be loaded.
        WorkspaceError: If another command is writing.
    """
    with workspace.locked():
        embedder = load_embedder(workspace)
        made = [file.path.stem for file in _embed(workspace, embedder)]
        proposals = Proposals(workspace, embedder)
        made += [name for name in proposals.proposers if _propose(workspace, proposals, name)]
        training = latest_training(workspace)
        if training is not None and _propose_student(workspace, training):
            made.append("student")
        if _fuse(workspace, proposals, training):
            made.append("fused")
        likeliest = np.zeros(len(workspace.config.labels), dtype=np.int64)
        fused = workspace.fused.open()
        for block in blocks(len(fused)):
            likeliest += np.bincount(fused[block].argmax(axis=1), minlength=len(likeliest))
        return ProposeResult(
            items=len(workspace.pool),
            dimension=embedder.dimension,
            proposers=tuple(proposals.proposers),
            made=tuple(made),
            too_long=_count_too_long(workspace.pool, embedder),
            label_counts=dict(zip(workspace.config.label_names, likeliest.tolist(), strict=True)),
        )


def latest_training(workspace: Workspace) -> TrainingRow | None:
    """Return the newest training, or None before the first."""
    trainings = workspace.store.trainings()
    return trainings[-1] if trainings else None


def _embed(workspace: Workspace, embedder: Embedder) -> list[ArrayFile]:
    """Embed the pool and the test set, and return what was made."""
    made = []
    for pool, file in (
        (workspace.pool, workspace.embeddings),
        (workspace.test, workspace.test_embeddings),
    ):
        if pool is not None and make_array(
            file,
            (len(pool), embedder.dimension),
            _embeddings_maker(embedder, pool),
            partial(_embed_rows, pool, embedder),
            description="Embedding" if pool is workspace.pool else "Embedding the test set",
            progress=workspace.progress,
        ):
            made.append(file)
    return made


def _embed_rows(pool: Pool, embedder: Embedder, start: int, stop: int) -> Floats:
    return embedder.embed(pool.texts(slice(start, stop)))


def _embeddings_maker(embedder: Embedder, pool: Pool) -> dict[str, Any]:
    return {"embedder": embedder.fingerprint, "pool": pool.fingerprint}


def _propose(workspace: Workspace, proposals: Proposals, name: str) -> bool:
    embeddings = workspace.embeddings.open()
    proposer = proposals.proposers[name]

    def rows_of(start: int, stop: int) -> Floats:
        items = workspace.pool.items(slice(start, stop))
        return proposer.propose(Items(items.ids, items.texts, embeddings[start:stop]))

    return make_array(
        workspace.proposal(name),
        (len(workspace.pool), len(workspace.config.labels)),
        proposals.makers[name],
        rows_of,
        description=f"Proposing ({name})",
        progress=workspace.progress,
    )


def _propose_student(workspace: Workspace, training: TrainingRow) -> bool:
    embeddings = workspace.embeddings.open()
    maker = {
        "student": [training.cycle, training.fingerprint],
        "embeddings": workspace.embeddings.maker(),
    }
    student = load_student(workspace.student_folder(training.cycle), workspace.device).student

    def rows_of(start: int, stop: int) -> Floats:
        items = workspace.pool.items(slice(start, stop))
        return student.predict_proba(Items(items.ids, items.texts, embeddings[start:stop]))

    return make_array(
        workspace.proposal("student"),
        (len(workspace.pool), len(workspace.config.labels)),
        maker,
        rows_of,
        description=f"Proposing (student of cycle {training.cycle})",
        progress=workspace.progress,
    )


def _fuse(workspace: Workspace, proposals: Proposals, training: TrainingRow | None) -> bool:
    """Fuse the proposals with the student's, by the weights that cross-validation found."""
    weights = [1.0] if training is None else list(training.summary["fusion"])
    student = None if training is None else workspace.proposal("student").open()

    def rows_of(start: int, stop: int) -> Floats:
        proposed = proposals.rows(slice(start, stop))
        if student is None:
            return proposed
        return pool_logarithmically([student[start:stop], proposed], np.array(weights))

    return make_array(
        workspace.fused,
        (len(workspace.pool), len(workspace.config.labels)),
        {
            "proposals": fingerprint(proposals.makers),
            "student": None if training is None else [training.cycle, training.fingerprint],
            "weights": weights,
        },
        rows_of,
        description="Fusing",
        progress=workspace.progress,
        chunk_rows=65536,
    )


def _count_too_long(pool: Pool, embedder: Embedder) -> int:
    """Count the texts whose end the encoder does not read; a token has a character at least."""
    count = 0
    for block in blocks(len(pool), 8192):
        long = [text for text in pool.texts(block) if len(text) > embedder.max_tokens - 2]
        count += sum(tokens > embedder.max_tokens for tokens in embedder.token_counts(long))
    return count


def _mean(array: Floats) -> Floats:
    total = np.zeros(array.shape[1], dtype=np.float64)
    for block in blocks(len(array)):
        total += array[block].sum(axis=0, dtype=np.float64)
    return total / len(array)


def _settings(section: ProposerSection) -> dict[str, Any]:
    if isinstance(section, Custom):
        return section.settings
    return section.model_dump(exclude={"kind", "name", "only", "max_items"})


def _free_name(section: ProposerSection, taken: dict[str, Proposer]) -> str:
    """Name a proposer after its kind, with a number from the second on."""
    base = section.kind.rpartition(":")[2]
    number = 1 + sum(name.rpartition("-")[0] == base or name == base for name in taken)
    return base if number == 1 else f"{base}-{number}"
