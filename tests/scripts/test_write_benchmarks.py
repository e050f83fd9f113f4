"""docs/benchmarks.md, against its template and the results beside it."""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hilt.pipeline.benchmarking.benchmark import BenchmarkPlan
from hilt.pipeline.benchmarking.curves import Curve
from hilt.pipeline.benchmarking.ratios import Ratio
from hilt.pipeline.benchmarking.result import compare
from hilt.pipeline.commands.streams import plain
from scripts.write_benchmarks import FOLDER, PAGE, TEMPLATE, TITLES, Results, times, write_page

# What may stand in the text with a digit: names and definitions, and no result.
DEFINITIONS = {"95", "AVX-512", "banking77", "bfloat16", "float32", "macro-F1"}
WRITTEN_OUT = "one two three four five six seven eight nine ten eleven twelve half twice"


def test_the_page_is_what_its_template_and_the_results_say() -> None:
    assert PAGE.read_text("utf-8") == write_page()


def test_no_figure_of_a_result_stands_in_the_text_itself() -> None:
    text = (FOLDER / TEMPLATE).read_text("utf-8")
    without = re.sub(r"<!--.*?-->|\{[{%].*?[%}]\}|`[^`]*`|\]\([^)]*\)", " ", text, flags=re.S)

    words = re.findall(r"[\w.,+±-]*\d[\w.,%-]*", without)
    numbers = "|".join(WRITTEN_OUT.split())
    written_out = (
        rf"\b(?:{numbers})\s+(?:of\s+(?:{numbers})|points?|per cent|hours|minutes|times)\b"
    )

    assert {word.strip(".,") for word in words} - DEFINITIONS == set()
    assert re.findall(written_out, without) == []


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the page, with made-up results for every set of data."""
    folder = tmp_path_factory.mktemp("docs") / "benchmarks"
    shutil.copytree(FOLDER, folder)
    for name in TITLES:
        (folder / f"{name}.json").write_text(json.dumps(plain(made_up(name))), encoding="utf-8")
    return folder


def made_up(name: str) -> dict[str, Any]:
    """hilt needs half of what random labels need, a third of setfit's, and as many as margin."""
    needs = {"hilt": 1, "setfit": 3, "random": 2, "margin": 1, "plain": 8}
    rng = np.random.default_rng(len(name))
    at = (20, 40, 80, 160, 320)
    curves = {arm: _curve(at, factor, rng) for arm, factor in needs.items()}
    plan = BenchmarkPlan(tuple(needs), at, seeds=5, processes=1)
    return {
        "config": name,
        "seeds": 5,
        "budget": 320,
        "full_kind": "linear",
        "full_accuracy": 0.85,
        "full": {"linear": {"held_out_accuracy": 0.84, "accuracy": 0.85}},
        "test_items": 500,
        "overlap": {"exact": 2, "normalised": 3},
        "hours": 1.5,
        **plain_arms(curves),
        **compare(curves, plan, 0.85),
    }


def plain_arms(curves: dict[str, Curve]) -> dict[str, Any]:
    points = {"proposer": {"labels": [0], "accuracy": [0.5], "macro_f1": [0.5]}}
    return {"arms": {**{k: {**c.to_dict(), "hours": 0.25} for k, c in curves.items()}, **points}}


def _curve(at: Sequence[int], factor: float, rng: np.random.Generator) -> Curve:
    labels = np.array(at)
    mean = 0.5 + 0.06 * np.log2(labels / factor / 2.5)
    accuracy = mean + rng.normal(scale=0.004, size=(5, 1)) + rng.normal(scale=0.002, size=(5, 5))
    return Curve(labels, accuracy, accuracy, np.tile(labels / 10.0, (5, 1)))


def test_new_results_take_the_place_of_those_before(measured: Path) -> None:
    page = write_page(measured)

    old, new = page.split("## Measured before")[1], page.split("## Measured before")[0]
    assert [
        title for title in TITLES.values() if f"\n{title}: the proposals alone" not in new
    ] == []
    assert "AG News with 30 % copies, 3 seeds" in old
    assert "\nTREC, 3 seeds" not in old
    assert "2 of 500 test texts also occur in the pool" in new
    assert "hilt benchmark configs/benchmarks/trec.yaml --seeds 5 --at 20,40,80,160,320" in new


def test_the_summary_says_what_the_sets_come_to(measured: Path) -> None:
    results = Results(measured)
    page = write_page(measured)

    mean = results.mean("random")
    assert mean.value == pytest.approx(0.5, abs=0.05)
    assert results.mean("margin", None).value == pytest.approx(1, abs=0.05)
    assert results.fewer("random") == list(TITLES.values())
    assert results.more("random") == []
    assert f"hilt needed {mean.value:.2f} times the labels (95 % interval {mean.low:.2f}" in page
    assert "there is no set on which hilt needs more labels beyond chance" in page


def test_a_bound_is_not_told_as_if_chance_had_no_part_in_it() -> None:
    assert times(Ratio(0.5, "at_most", n=5)) == (
        "at most 0.50 times the labels (an estimate without an interval)"
    )
    assert times(Ratio(0.5, low=0.4, high=0.6, n=5)).endswith("(95 % interval 0.40 to 0.60)")
