"""What it would cost to make anew what is outdated, and the rule that nobody pays unasked."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hilt.blocks import blocks
from hilt.command_line import command_line
from hilt.errors import WorkspaceError
from hilt.figures import counted
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.proposing.members import Member
from hilt.pipeline.proposing.outdated import EMBEDDINGS, Outdated
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.pipeline.workspace.tables import TrainingRow
from hilt.types import Content, Integers, Items

LIMITS = ("max_items", "max_cost_usd")  # of a proposer; unset for none
MAX_SECONDS = 180.0  # that making anew may take unasked, by estimate
ESTIMATE_ITEMS = 200
TIMED_ITEMS = 32


def check_costs(panel: Panel, found: Sequence[Outdated]) -> None:
    """Refuse to make anew what costs money or more than a few minutes.

    Raises:
        WorkspaceError: If it does; the sentence says what changed, what it costs and how to ask.
    """
    seconds = 0.0
    for each in found:
        if each.member is not None and each.member.proposer.is_priced:
            if asks_for_more(each.member):
                continue
            price = _price(panel, each.member)
            if price:
                raise _refusal(panel.files.folder, each, f"Making them again costs money. {price}")
        else:
            seconds += _seconds(panel, each)
            if seconds > MAX_SECONDS:
                minutes = counted(round(seconds / 60), "minute")
                items = counted(len(panel.files.pool), "item")
                raise _refusal(
                    panel.files.folder,
                    each,
                    f"Making them again takes about {minutes} for {items}.",
                )


def asks_for_more(member: Member) -> bool:
    """Tell whether all that changed is that a limit was raised, by which a user asks for more."""
    if member.made is None:
        return False
    was, now = (
        {**maker, "proposer": dict(maker["proposer"])} for maker in (member.made, member.maker)
    )
    for name in LIMITS:
        before, after = (maker["proposer"].pop(name, None) for maker in (was, now))
        if before != after and (before is None or (after is not None and after < before)):
            return False
    for maker in (was, now):
        maker.pop("limit_draw", None)
    return was == now


def check_training_cost(folder: Path, student: Outdated, training: TrainingRow) -> None:
    """Refuse to train anew, unasked, a student whose training took more than a few minutes.

    Raises:
        WorkspaceError: If it did.
    """
    seconds = training.summary.seconds
    if seconds > MAX_SECONDS:
        minutes = counted(round(seconds / 60), "minute")
        line = command_line("train", folder)
        raise WorkspaceError(
            f"{student}. Training it took {minutes}, so it is not trained again without your"
            f" request: run `{line}`."
        )


def sample_contents(pool: Pool, seed: int, indices: Integers) -> list[Content]:
    """Read some of the items at these indices, drawn at random, to estimate what all cost."""
    rng = generator(seed, Stream.ESTIMATE)
    sample = rng.choice(indices, min(ESTIMATE_ITEMS, len(indices)), replace=False)
    return pool.contents(np.sort(sample))


def _refusal(folder: Path, each: Outdated, cost: str) -> WorkspaceError:
    line = command_line("propose", folder, "--remake")
    return WorkspaceError(
        f"{each}. {cost} This is only done on request: run `{line}`, or restore the previous value"
        f" in {folder / 'hilt.yaml'}."
    )


def _price(panel: Panel, member: Member) -> str:
    """Say what a proposer would cost; nothing where all answers are there already."""
    pool, section = panel.files.pool, member.section
    indices: Integers = np.delete(np.arange(len(pool)), pool.empty)
    if section.only == "all":  # else what it is asked depends on proposals that are to come
        asked = panel.asked(member)
        indices = indices if asked is None else asked
        parts = (indices[block] for block in blocks(len(indices), ESTIMATE_ITEMS))
        if all(member.proposer.has_answers(pool.contents(part)) for part in parts):
            return ""
    count = min(len(indices), section.max_items or len(indices))
    return member.proposer.estimate(sample_contents(pool, panel.files.config.seed, indices), count)


def _seconds(panel: Panel, each: Outdated) -> float:
    """Estimate how long making something anew takes, from the time that a few items take."""
    files, embedder, member = panel.files, panel.embedder, each.member
    n_items = len(files.pool)
    if n_items <= TIMED_ITEMS:
        return 0.0
    if each.what == EMBEDDINGS:
        n_items += 0 if files.test is None else len(files.test)
        return n_items * _seconds_per_item(
            files.pool, files.config.seed, lambda items: embedder.embed(list(items.contents))
        )
    if member is None or member.learns:
        return 0.0
    proposer = member.proposer

    def propose(items: Items) -> object:
        vectors = embedder.embed(list(items.contents)) if proposer.reads_embeddings else None
        return proposer.propose(Items(items.ids, items.contents, vectors))

    n_items = min(n_items, member.section.max_items or n_items)
    return n_items * _seconds_per_item(files.pool, files.config.seed, propose)


def _seconds_per_item(pool: Pool, seed: int, work: Callable[[Items], object]) -> float:
    rng = generator(seed, Stream.ESTIMATE)
    items = pool.items(np.sort(rng.choice(len(pool), TIMED_ITEMS, False)))
    work(Items(items.ids[:1], items.contents[:1]))  # a model opens on first use
    started = time.monotonic()
    work(items)
    return (time.monotonic() - started) / TIMED_ITEMS
