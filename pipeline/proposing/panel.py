"""What the proposers of a workspace other than the student say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from hilt.blocks import blocks
from hilt.distributions import batch_calibrate
from hilt.errors import ConfigError
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.pools.pool import Where
from hilt.pipeline.proposing.embedding import embeddings_maker, load_embedder
from hilt.pipeline.proposing.members import LIMIT_DRAW, Member, make_members
from hilt.pipeline.workspace.arrays import Maker
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.item_draws import pool_draws
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.proposers.base import Embedder
from hilt.rows import Rows
from hilt.tasks.base import Targets
from hilt.types import Floats, Integers, Items

if TYPE_CHECKING:
    from hilt.pipeline.proposing.fusion import Trust

AGREEMENT_ITEMS = 5000
UNCERTAIN_SHARE = 0.1  # of the pool, where `only: uncertain` comes without `max_items`


class Panel:
    """What the proposers other than the student say, each calibrated.

    Args:
        files: Where the arrays are.
        embedder: What proposers compare with.
        labelled: The items that people have labelled, which proposers that learn are taught.
    """

    def __init__(
        self, files: WorkspaceFiles, embedder: Embedder, labelled: Sequence[ItemLabel]
    ) -> None:
        self.files, self.embedder, self.labelled = files, embedder, labelled
        self.embeddings = embeddings_maker(
            files.config.embedder, embedder, files.pool, files.embeddings
        )
        self.members = make_members(files, embedder, self.embeddings, labelled)
        self._means: dict[str, Floats] = {}

    @classmethod
    def of(cls, state: LoopState) -> Panel:
        """Build the panel of a workspace; its models open on first use."""
        return cls(state.files, load_embedder(state.files), state.labelled)

    @property
    def names(self) -> list[str]:
        """The proposers' names, in the order of every array here."""
        return [member.name for member in self.members]

    @property
    def makers(self) -> dict[str, Maker]:
        """What made each proposer's array."""
        return {member.name: member.maker for member in self.members}

    def rows(self, where: Where) -> tuple[Rows, ...]:
        """Read what each proposer says of some items of the pool; NaN rows where it abstained."""
        return tuple(self._rows(member, where) for member in self.members)

    def test_rows(self) -> tuple[Rows, ...]:
        """Read what each proposer says of the test set, as `rows`."""
        test = self.files.test
        assert test is not None
        layout = self.files.row_layout(test)
        nothing = Rows(np.full(layout.shape, np.nan, dtype=np.float32), layout.offsets)
        return tuple(
            nothing
            if member.test_array is None
            else _calibrated(self.files.rows(member.test_array, test), self._mean(member))
            for member in self.members
        )

    @cached_property
    def trust(self) -> Trust:
        """How much each proposer counts before there are labels."""
        return self._trust(self.members)

    def _trust(self, members: Sequence[Member]) -> Trust:
        # here, because it loads an optimiser, and most commands only ask what is on disk
        from hilt.pipeline.proposing.fusion import trust_without_labels

        pool, seed = self.files.pool, self.files.config.seed
        rng = generator(seed, Stream.AGREEMENT)
        sample = rng.choice(len(pool), min(AGREEMENT_ITEMS, len(pool)), replace=False)
        said = [self._rows(member, np.sort(sample)) for member in members]
        units = self.files.task.rows.units
        return trust_without_labels(np.stack([units(rows).values for rows in said]))

    def coverage(self, member: Member) -> float:
        """Say what share of the pool a proposer did not abstain on."""
        rows = self._open(member)
        answered = sum(int(rows.take(block).answered.sum()) for block in blocks(len(rows)))
        return answered / len(rows)

    def asked(self, member: Member) -> Integers | None:
        """List the items that a limited proposer is asked about, ascending; None for all.

        Nobody pays for an item without a text, and none takes a place where places are few.
        """
        section, pool = member.section, self.files.pool
        if not (section.is_limited or member.proposer.is_priced):
            return None
        with_text = np.delete(np.arange(len(pool)), pool.empty)
        if section.only == "uncertain":
            count = section.max_items or int(np.ceil(UNCERTAIN_SHARE * len(pool)))
            order = -self._doubts(self._before(member))
        elif section.max_items is not None:
            count, order = section.max_items, self._turns(member)
        else:
            return with_text
        return np.sort(with_text[np.argsort(order[with_text], kind="stable")[:count]])

    def teach(self, member: Member) -> None:
        """Give a proposer that learns every label there is."""
        if member.learns:
            indices = np.array([each.index for each in self.labelled], dtype=np.int64)
            items = self.files.pool.items(indices)
            values = [each.value or () for each in self.labelled]
            targets = self.files.task.rows.encode(values, items.contents)
            embeddings = self.files.embeddings.open()[indices].astype(np.float32)
            member.proposer.learn(Items(items.ids, items.contents, embeddings), targets)

    def note_made(self, member: Member) -> None:
        """Take notice that a proposer's array was made, and forget what was read of it."""
        self.members[self.members.index(member)] = member.as_on_disk()
        self._means.pop(member.name, None)
        vars(self).pop("trust", None)

    def retaught(
        self, known: Items, targets: Targets, items: Items, proposed: Sequence[Rows]
    ) -> tuple[Rows, ...]:
        """Say what would be proposed for some items if these were all the labels.

        Args:
            known: The items whose labels are known, with their embeddings.
            targets: Those labels.
            items: n items, with their embeddings.
            proposed: What each proposer says of them that knows every label.

        Returns:
            The same of each; where a proposer was not asked it abstains as before.
        """
        again = []
        for member, rows in zip(self.members, proposed, strict=True):
            values = rows.values
            if member.learns:
                member.proposer.learn(known, targets)
                anew = _calibrated(member.proposer.propose(items), self._mean(member)).values
                values = np.where(np.isnan(values[:, :1]), values, anew)
            again.append(Rows(values, rows.offsets))
        return tuple(again)

    def _before(self, member: Member) -> list[Member]:
        """List the proposers before one that are asked about everything."""
        earlier = self.members[: self.members.index(member)]
        unlimited = [m for m in earlier if m.section.only == "all"]
        if not unlimited:
            raise ConfigError(
                f"Proposer {member.name!r} has `only: uncertain`, but no proposer before it can"
                " say which items are uncertain; put another proposer first, or remove this"
                " one."
            )
        return unlimited

    def _doubts(self, members: Sequence[Member]) -> Floats:
        """Say how uncertain some proposers together are of each item: shape (n_items,)."""
        weights, math = self._trust(members).exponents, self.files.task.rows
        scores = np.empty(len(self.files.pool), dtype=np.float32)
        for block in blocks(len(scores)):
            pooled = math.pool([self._rows(m, block) for m in members], weights)
            scores[block] = math.doubt(pooled, "margin")
        return scores

    def _turns(self, member: Member) -> Floats:
        """Draw in which order a limited proposer is asked about the items: shape (n_items,).

        The draw is by id, so that items that are added to the pool change little. What an older
        hilt asked about, by another draw, comes first: it may be paid for.
        """
        turns = pool_draws(self.files.pool, self.files.config.seed, "limit").copy()
        made = member.array.maker() or LIMIT_DRAW
        if not LIMIT_DRAW.items() <= made.items() and _asks(made) == _asks(member.maker):
            layout, values = self.files.row_layout(self.files.pool), member.array.open()
            n_then = layout.items(0, len(values)).stop
            offsets = None if layout.offsets is None else layout.offsets[: n_then + 1]
            turns[:n_then][Rows(values, offsets).answered] -= 1
        return turns

    def _rows(self, member: Member, where: Where) -> Rows:
        return _calibrated(self._open(member).take(where), self._mean(member))

    def _open(self, member: Member) -> Rows:
        return self.files.rows(member.array)

    def _mean(self, member: Member) -> Floats | None:
        """Average over the pool what a proposer that wants batch calibration says."""
        if not member.proposer.is_calibrated:
            return None
        if member.name not in self._means:
            self._means[member.name] = _mean(self._open(member).values)
        return self._means[member.name]


def _asks(maker: Maker) -> dict[str, Any]:
    """Take from a maker what a proposer is, whatever its limit."""
    return {**maker["proposer"], "max_items": None}


def _calibrated(rows: Rows, mean: Floats | None) -> Rows:
    if mean is None:
        return Rows(np.asarray(rows.values, dtype=np.float32), rows.offsets)
    return Rows(batch_calibrate(rows.values, mean), rows.offsets)


def _mean(array: Floats) -> Floats:
    """Average the rows that are not abstentions; nothing leans where all are."""
    total, count = np.zeros(array.shape[1], dtype=np.float64), 0
    for block in blocks(len(array)):
        answered = array[block][~np.isnan(array[block, 0])]
        total += answered.sum(axis=0, dtype=np.float64)
        count += len(answered)
    return total / count if count else np.full(len(total), 1 / len(total))
