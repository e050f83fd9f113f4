"""Draws by item: where each stands in the order of the audit."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.stats import chi2, kstest, pearsonr

import hilt
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.workspace.audit_order import AUDIT_DRAW
from hilt.pipeline.workspace.item_draws import draw
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision

PAST = Path(__file__).parents[2] / "past" / "workspace"
IDS = [f"row-{number}" for number in range(5000)]


def test_an_item_keeps_its_draw_whatever_else_is_in_the_pool() -> None:
    drawn = draw(IDS, 3, "audit")

    assert drawn[:200].tolist() == draw(IDS[:200], 3, "audit").tolist()
    assert drawn[::-1].tolist() == draw(IDS[::-1], 3, "audit").tolist()


def test_the_first_of_the_order_stay_the_first_when_items_are_added() -> None:
    before, after = (draw(ids, 0, "audit") for ids in (IDS[:1000], IDS[:1500]))
    first = np.argsort(before)[:40]

    joined = np.argsort(after)
    joined = joined[after[joined] <= before[first[-1]]]

    assert joined[joined < 1000].tolist() == first.tolist()
    assert 8 < (joined >= 1000).sum() < 36  # half as many again are due to the 500


def test_draws_are_uniform() -> None:
    drawn = draw(IDS, 0, "audit")

    assert (drawn >= 0).all()
    assert (drawn < 1).all()
    assert kstest(drawn, "uniform").pvalue > 0.01


def test_each_item_is_among_the_first_equally_often() -> None:
    items, count, seeds = 60, 15, 1500
    times = np.zeros(items)
    for seed in range(seeds):
        times[np.argsort(draw(IDS[:items], seed, "audit"))[:count]] += 1

    expected, share = seeds * count / items, count / items
    statistic = ((times - expected) ** 2 / (expected * (1 - share))).sum() * (items - 1) / items
    assert 0.01 < chi2.sf(statistic, items - 1) < 0.99


def test_seeds_and_purposes_draw_independently() -> None:
    drawn = draw(IDS, 0, "audit")

    for other in (draw(IDS, 1, "audit"), draw(IDS, 0, "check")):
        assert abs(pearsonr(drawn, other).statistic) < 4 / np.sqrt(len(IDS))


def test_a_new_workspace_draws_by_id(small_workspace: Callable[[str], Workspace]) -> None:
    workspace = small_workspace("two_cycles")
    numbers = draw(workspace.pool.ids(slice(None)), workspace.config.seed, "audit")

    assert LoopState.read(workspace).audit_order.numbers.tolist() == numbers.tolist()
    assert AUDIT_DRAW.items() <= workspace.database.batch_selector(2).items()


def test_a_workspace_of_the_past_goes_on_in_the_order_it_has(tmp_path: Path) -> None:
    work = hilt.open_workspace(shutil.copytree(PAST, tmp_path / "work"), device="cpu")
    order = generator(work.config.seed, Stream.AUDIT).permutation(len(work.pool))
    drawn = [row.item_index for row in work.database.batch_items() if row.reason == "audit"]
    label = work.config.label_names[0]
    asked = [Decision(item.item_id, "label", (label,), "ann") for item in select(work).items]
    hilt.record(work, asked)
    decided = {outcome.index for outcome in LoopState.read(work).resolved}

    following = select(work)

    audit = {item.index for item in following.items if item.reason == "audit"}
    assert set(drawn) <= set(order[: len(drawn)])
    assert audit == set([index for index in order if index not in decided][: len(audit)])
    assert len(audit) == 4
    assert work.database.batch_selector(following.number).keys().isdisjoint(AUDIT_DRAW)
