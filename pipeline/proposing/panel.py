"""The proposers of a workspace other than the student, and what they say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hilt.blocks import blocks
from hilt.distributions import pool_logarithmically
from hilt.errors import ConfigError
from hilt.pipeline.configuration.proposer_kinds import CustomProposer, ProposerSection
from hilt.pipeline.configuration.section import Custom
from hilt.pipeline.pools.pool import Where
from hilt.pipeline.proposing.embedding import embeddings_maker
from hilt.pipeline.workspace.arrays import ArrayFile, Maker, fingerprint
from hilt.pipeline.workspace.item_draws import pool_draws
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.pipeline.workspace.workspace import Workspace
from hilt.proposers.base import Context, Embedder
from hilt.proposers.given import FOLDER
from hilt.proposers.guarded import GuardedProposer
from hilt.selectors.arithmetic.uncertainty import margin
from hilt.types import Floats, Integers, Items

if TYPE_CHECKING:
    from hilt.pipeline.proposing.fusion import Trust

AGREEMENT_ITEMS = 5000
UNCERTAIN_SHARE = 0.1  # of the pool, where `only: uncertain` comes without `max_items`
RESERVED = ("student", "fused")
GIVEN = "given-"  # before the name of a file of proposals, so that it is no other proposer's
KIND = "hilt.proposers.given:Given"
LIMIT_DRAW = {"limit_draw": "id"}  # in makers; an older hilt drew by the size of the pool


@dataclass(frozen=True, slots=True)
class Member:
    """A proposer with its place in the workspace.

    Attributes:
        array: What it says of the pool.
        test_array: What it says of the test set; None when it is not asked about that, because it
            costs money or is limited to a part of the pool.
        maker: What would make that under the present configuration.
        made: What made the array on disk; None where there is none.
        grew: Whether that is what is wanted, but for items that were appended since.
        grown_from: What the maker was each time before items were appended, the newest first.
    """

    name: str
    section: ProposerSection
    proposer: GuardedProposer
    maker: Maker
    array: ArrayFile
    test_array: ArrayFile | None
    made: Maker | None = None
    grew: bool = False
    grown_from: tuple[Maker, ...] = ()

    @property
    def learns(self) -> bool:
        """Whether what it says depends on the labels."""
        return self.proposer.learns

    @property
    def is_outdated(self) -> bool:
        """Whether another configuration made what is on disk, whichever labels it knew."""
        if self.made is None or self.grew:
            return False
        return unlearnt(self.made) != unlearnt(self.maker)


class Panel:
    """What the proposers other than the student say, each calibrated.

    Args:
        workspace: Where the arrays are.
        embedder: What proposers compare with.
    """

    def __init__(self, workspace: Workspace, embedder: Embedder) -> None:
        self.workspace, self.embedder = workspace, embedder
        config, answers = workspace.config, workspace.answers_folder
        context = Context(config.label_list, embedder, workspace.device, answers)
        self.embeddings = embeddings_maker(
            workspace, embedder, workspace.pool, workspace.embeddings
        )
        self.members: list[Member] = []
        self._means: dict[str, Floats] = {}
        for section in (*config.proposers, *_given(workspace)):
            self.members.append(self._member(section, context))

    @cached_property
    def labelled(self) -> list[ItemLabel]:
        """The items that people have labelled."""
        outcomes = self.workspace.item_labels()
        return [outcome for outcome in outcomes if outcome.label and not outcome.machine]

    @property
    def names(self) -> list[str]:
        """The proposers' names, in the order of every array here."""
        return [member.name for member in self.members]

    @property
    def makers(self) -> dict[str, Maker]:
        """What made each proposer's array."""
        return {member.name: member.maker for member in self.members}

    def rows(self, where: Where) -> Floats:
        """Read what is proposed for some items of the pool.

        Returns:
            Shape (m, n, n_labels), float32; rows sum to 1, or are NaN where one abstained.
        """
        return np.stack([self._rows(member, where) for member in self.members])

    def test_rows(self) -> Floats:
        """Read what is proposed for the test set: shape (m, n, n_labels), as `rows`."""
        assert self.workspace.test is not None
        nothing = np.full((len(self.workspace.test), len(self.workspace.config.labels)), np.nan)
        return np.stack(
            [
                nothing.astype(np.float32)
                if member.test_array is None
                else _calibrated(
                    self.workspace.required(member.test_array, "propose").open(),
                    self._mean(member),
                )
                for member in self.members
            ]
        )

    @cached_property
    def trust(self) -> Trust:
        """How much each proposer counts before there are labels."""
        return self._trust(self.members)

    def _trust(self, members: Sequence[Member]) -> Trust:
        # here, because it loads an optimiser, and most commands only ask what is on disk
        from hilt.pipeline.proposing.fusion import trust_without_labels

        pool, seed = self.workspace.pool, self.workspace.config.seed
        rng = generator(seed, Stream.AGREEMENT)
        sample = rng.choice(len(pool), min(AGREEMENT_ITEMS, len(pool)), replace=False)
        rows = [self._rows(member, np.sort(sample)) for member in members]
        return trust_without_labels(np.stack(rows))

    def coverage(self, member: Member) -> float:
        """Say what share of the pool a proposer did not abstain on."""
        array = self._open(member)
        answered = sum(int((~np.isnan(array[block, 0])).sum()) for block in blocks(len(array)))
        return answered / len(array)

    def asked(self, member: Member) -> Integers | None:
        """List the items that a limited proposer is asked about, ascending; None for all.

        Nobody pays for an item without a text, and none takes a place where places are few.
        """
        section, pool = member.section, self.workspace.pool
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
            indices = np.array([outcome.index for outcome in self.labelled], dtype=np.int64)
            said = [str(outcome.label) for outcome in self.labelled]
            positions = self.workspace.config.positions_of(said)
            items = self.workspace.pool.items(indices)
            embeddings = self.workspace.embeddings.open()[indices].astype(np.float32)
            member.proposer.learn(Items(items.ids, items.texts, embeddings), positions)

    def retaught(self, known: Items, positions: Integers, items: Items, proposed: Floats) -> Floats:
        """Say what would be proposed for some items if these were all the labels.

        Args:
            known: The items whose labels are known, with their embeddings.
            positions: The positions of those labels.
            items: n items, with their embeddings.
            proposed: Shape (m, n, n_labels), what is proposed for them with every label.

        Returns:
            The same shape; where a proposer was not asked it abstains as before.
        """
        again = proposed.copy()
        for place, member in enumerate(self.members):
            if member.learns:
                member.proposer.learn(known, positions)
                said = _calibrated(member.proposer.propose(items), self._mean(member))
                asked = ~np.isnan(proposed[place, :, 0])
                again[place, asked] = said[asked]
        return again

    def _member(self, section: ProposerSection, context: Context) -> Member:
        name = _free_name(section, self.names)
        proposer = GuardedProposer(section.kind, name, context, _settings(section))
        before = [] if section.only == "all" else self.members
        earlier = [unlearnt(member.maker) for member in before]  # new labels alone ask nothing anew
        maker = {
            "proposer": section.model_dump(exclude={"name"}),
            "labels": [[label.name, label.description] for label in context.labels],
            **self._read_by(proposer),
            **({"code": code} if (code := proposer.fingerprint) else {}),
            **({"earlier": fingerprint(earlier)} if earlier else {}),
            **({"learnt": fingerprint(_said(self.labelled))} if proposer.learns else {}),
        }
        array = self.workspace.proposal(name)
        made = array.made_of()
        if section.only == "all" and section.max_items is not None and not _agree(made, maker):
            maker |= LIMIT_DRAW  # what an older hilt drew, and is current, stays
        pools = self._makers_before(unlearnt(maker), earlier)
        grew = any(_agree(made and unlearnt(made), each) for each in pools)
        if made is not None and (grew or _agree(made, maker)):
            maker = _as_written(made, maker)
        grown_from = tuple(self._makers_before(maker, earlier))
        skips_test = section.is_limited or proposer.is_priced or self.workspace.test is None
        test_array = None if skips_test else self.workspace.test_proposal(name)
        return Member(name, section, proposer, maker, array, test_array, made, grew, grown_from)

    def _makers_before(self, maker: Maker, earlier: list[dict[str, Any]]) -> list[Maker]:
        """Say what a maker was before items were appended, the newest first.

        Args:
            maker: Of a proposer.
            earlier: The makers of the proposers before it, of which its own has a hash.
        """
        pool = self.workspace.pool
        makers = pool.earlier_makers(maker)
        if not earlier:
            return makers
        hashes = [
            fingerprint(each["earlier"]) for each in pool.earlier_makers({"earlier": earlier})
        ]
        return [{**each, "earlier": one} for each, one in zip(makers, hashes, strict=True)]

    def _read_by(self, proposer: GuardedProposer) -> dict[str, Any]:
        """Say what a proposer reads beside the texts: the embeddings, or nothing of them."""
        if not proposer.reads_embeddings:
            return {"pool": self.embeddings["pool"]}
        prompt = self.workspace.config.embedder.description_prompt
        prompted = {} if prompt is None else {"description_prompt": prompt}
        return {"embeddings": self.embeddings, **prompted}

    def _before(self, member: Member) -> list[Member]:
        """List the proposers before one that are asked about everything."""
        earlier = self.members[: self.members.index(member)]
        unlimited = [m for m in earlier if m.section.only == "all"]
        if not unlimited:
            raise ConfigError(
                f"Proposer {member.name!r} has `only: uncertain`, but none before it says what is"
                " uncertain; put another proposer first, or take it out."
            )
        return unlimited

    def _doubts(self, members: Sequence[Member]) -> Floats:
        """Say how uncertain some proposers together are of each item: shape (n_items,)."""
        weights = self._trust(members).exponents
        scores = np.empty(len(self.workspace.pool), dtype=np.float32)
        for block in blocks(len(scores)):
            pooled = pool_logarithmically([self._rows(m, block) for m in members], weights)
            scores[block] = margin(pooled, np.arange(len(pooled)))
        return scores

    def _turns(self, member: Member) -> Floats:
        """Draw in which order a limited proposer is asked about the items: shape (n_items,).

        The draw is by id, so that items that are added to the pool change little. What an older
        hilt asked about, by another draw, comes first: it may be paid for.
        """
        turns = pool_draws(self.workspace.pool, self.workspace.config.seed, "limit").copy()
        made = member.array.maker() or LIMIT_DRAW
        if not LIMIT_DRAW.items() <= made.items() and _asks(made) == _asks(member.maker):
            array = member.array.open()
            turns[: len(array)][~np.isnan(array[:, 0])] -= 1
        return turns

    def _rows(self, member: Member, where: Where) -> Floats:
        return _calibrated(self._open(member)[where], self._mean(member))

    def _open(self, member: Member) -> Floats:
        return self.workspace.required(member.array, "propose").open()

    def _mean(self, member: Member) -> Floats | None:
        """Average over the pool what a proposer that wants batch calibration says."""
        if not member.proposer.is_calibrated:
            return None
        if member.name not in self._means:
            self._means[member.name] = _mean(self._open(member))
        return self._means[member.name]


def unlearnt(maker: Maker) -> dict[str, Any]:
    """Take the labels that a proposer learnt out of its maker."""
    return {key: value for key, value in maker.items() if key != "learnt"}


def _agree(made: Maker | None, maker: Maker) -> bool:
    """Tell whether an array on disk is what a maker makes, however an older hilt wrote that."""
    return made is not None and bool(made == json.loads(json.dumps(_as_written(made, maker))))


def _as_written(made: Maker, maker: Maker) -> dict[str, Any]:
    """Write a maker as that of the array on disk is written, so that what rests on it stays.

    An older hilt named the embeddings for proposers that read none, too.
    """
    if "pool" not in maker or "embeddings" not in made:
        return dict(maker)
    others = {key: value for key, value in maker.items() if key != "pool"}
    return {**others, "embeddings": {**made["embeddings"], "pool": maker["pool"]}}


def _asks(maker: Maker) -> dict[str, Any]:
    """Take from a maker what a proposer is, whatever its limit."""
    return {**maker["proposer"], "max_items": None}


def given_folder(workspace: Workspace) -> Path:
    """Say where the tables are of files of proposals that were imported."""
    return workspace.answers_folder / FOLDER


def proposer_names(workspace: Workspace) -> list[str]:
    """Name the proposers of a workspace other than the student; none of them is loaded.

    Raises:
        ConfigError: If two want one name.
    """
    names: list[str] = []
    for section in (*workspace.config.proposers, *_given(workspace)):
        names.append(_free_name(section, names))
    return names


def _given(workspace: Workspace) -> list[CustomProposer]:
    """List the proposers that stand for such files, in the order of their names."""
    return [
        CustomProposer(kind=KIND, name=GIVEN + file.stem, settings={"table": file.name})
        for file in sorted(given_folder(workspace).glob("*.parquet"))
    ]


def _calibrated(rows: Floats, mean: Floats | None) -> Floats:
    from hilt.proposers.zero_shot import batch_calibrate

    return np.asarray(rows, dtype=np.float32) if mean is None else batch_calibrate(rows, mean)


def _mean(array: Floats) -> Floats:
    """Average the rows that are not abstentions; nothing leans where all are."""
    total, count = np.zeros(array.shape[1], dtype=np.float64), 0
    for block in blocks(len(array)):
        answered = array[block][~np.isnan(array[block, 0])]
        total += answered.sum(axis=0, dtype=np.float64)
        count += len(answered)
    return total / count if count else np.full(len(total), 1 / len(total))


def _said(outcomes: Sequence[ItemLabel]) -> list[list[object]]:
    return [[outcome.index, outcome.label] for outcome in outcomes]


def _settings(section: ProposerSection) -> dict[str, Any]:
    if isinstance(section, Custom):
        return section.settings
    return section.model_dump(exclude={"kind", "name", "only", "max_items"})


def _free_name(section: ProposerSection, taken: Sequence[str]) -> str:
    """Name a proposer as it wants, or after its kind, with a number from the second on."""
    if section.name is not None:
        if section.name in (*taken, *RESERVED):
            raise ConfigError(f"A proposer is named {section.name!r}, which is taken; rename it.")
        return section.name
    base = section.kind.rpartition(":")[2]
    number = 1 + sum(name.rpartition("-")[0] == base or name == base for name in taken)
    return base if number == 1 else f"{base}-{number}"
