"""Every figure that hilt shows is right, by the short forms of the simulations; and they bite."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml

import hilt.metrics
import hilt.pipeline.benchmarking.ratios
import hilt.pipeline.measuring.two_accuracies
import hilt.pipeline.selecting.review_cost
import hilt.pipeline.workspace.audit_slice
import hilt.pipeline.workspace.labels
import hilt.review.agreement
import hilt.review.skill
from hilt.metrics import ConfidenceBin
from hilt.pipeline.proposing.fusion import Trust
from hilt.review.agreement import Estimate
from hilt.types import Floats, Reason, Selection
from scripts.check_statistics import CHECKS, as_table, main
from scripts.statistics_checks import (
    adjudication,
    agreement,
    audit_draw,
    calibration,
    cells,
    fusion_with_labels,
    fusion_without_labels,
    intervals,
    minutes,
    planted,
    population,
    ratios,
    settling,
)
from scripts.statistics_checks.cells import Cells, Figure, Result, judged


@pytest.fixture
def quick(tmp_path: Path) -> Cells:
    return Cells(tmp_path, quick=True)


@pytest.mark.parametrize("name", CHECKS)
def test_the_figures_are_right(name: str, quick: Cells) -> None:
    missed = [result for result in CHECKS[name](quick) if not result.holds]

    assert missed == []


def failing(check: Callable[[Cells], list[Result]], quick: Cells) -> list[str]:
    return [result.name for result in check(quick) if not result.holds]


def test_an_audit_that_passes_over_near_duplicates_is_found(
    quick: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = hilt.pipeline.workspace.audit_slice.AuditDraw.slice

    def distinct(draw: hilt.pipeline.workspace.audit_slice.AuditDraw, count: int) -> object:
        drawn = whole(draw, len(draw.numbers))
        order = drawn.asked.indices
        notices = order < audit_draw.GROUP
        kept = order[~notices | (np.cumsum(notices) == 1)][:count]
        reason: Reason = "audit"
        picked = Selection(kept, np.zeros(count), (reason,) * count)
        return hilt.pipeline.workspace.audit_slice.AuditSlice(picked, {})

    monkeypatch.setattr(hilt.pipeline.workspace.audit_slice.AuditDraw, "slice", distinct)

    assert "audit: share of the group, 3 x 30 items" in failing(audit_draw.check, quick)


def test_an_audit_label_that_is_lost_when_overturned_is_found(
    quick: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_the_winner(rows: list[object]) -> list[object]:
        kept = {row.item_index: row for row in rows}.values()  # type: ignore[attr-defined]
        return list(kept)

    monkeypatch.setattr(hilt.pipeline.workspace.labels, "not_withdrawn", of_the_winner)

    assert len(failing(adjudication.check, quick)) == 2


def test_intervals_that_collapse_are_found(quick: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_itself(equal: float, items: int) -> Estimate:
        half = 1.96 * np.sqrt(equal / items * (1 - equal / items) / items)
        return Estimate(equal / items, equal / items - half, equal / items + half)

    monkeypatch.setattr(hilt.review.agreement, "_wilson", by_itself)

    assert failing(agreement.check, quick) == [
        "agreement: coverage of per cent, 10 shared items",
        "agreement: coverage of per cent, 20 shared items",
    ]


def test_a_calibration_error_that_is_chance_is_found(
    quick: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_it_is(bins: Sequence[ConfidenceBin], items: int) -> tuple[float, float]:
        return sum(abs(each.accuracy - each.confidence) * each.share for each in bins), 0.0

    monkeypatch.setattr(hilt.metrics, "calibration_beyond_chance", as_it_is)

    assert len(failing(calibration.check, quick)) == 8


def test_minutes_without_the_long_times_are_found(
    quick: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hilt.pipeline.selecting.review_cost, "LONGEST", 1.345)

    missed = failing(minutes.check, quick)

    assert [name for name in missed if "1.0" in name] == [
        "minutes: predicted over true, of new items, log-sd 1.0",
        "minutes: predicted over true, of a decision, log-sd 1.0",
    ]


def test_a_fusion_in_which_sharpness_decides_is_found(
    quick: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    def alike(proposals: Floats) -> Trust:
        m = len(proposals)
        return Trust(np.ones(m), np.full(m, 1 / m))

    monkeypatch.setattr(fusion_without_labels, "trust_without_labels", alike)

    assert len(failing(fusion_without_labels.check, quick)) == 3


def test_a_skill_that_few_labels_bring_by_chance_is_found(
    quick: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hilt.review.skill, "PRIOR", 0.1)

    missed = failing(settling.check, quick)

    assert "settling: skill less majority, 30 labels each" in missed


def test_intervals_of_ratios_that_are_narrow_are_found(
    quick: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = hilt.pipeline.benchmarking.ratios.jackknife_t

    def narrow(estimate: float, left_out: Floats) -> tuple[float, float] | None:
        ends = whole(estimate, left_out)
        return ends and ((2 * estimate + ends[0]) / 3, (2 * estimate + ends[1]) / 3)

    monkeypatch.setattr(hilt.pipeline.benchmarking.ratios, "jackknife_t", narrow)

    missed = failing(ratios.check, quick)

    assert "ratios: coverage at a target, 5 seeds" in missed


def test_intervals_of_an_accuracy_that_are_narrow_are_found(
    quick: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrow(right: int, items: int) -> tuple[float, float]:
        return right / items - 0.02, right / items + 0.02

    monkeypatch.setattr(hilt.pipeline.measuring.two_accuracies, "wilson", narrow)

    assert "intervals: mean coverage of these 2" in failing(intervals.check, quick)


def test_a_benchmark_becomes_a_population_whose_texts_are_distinct(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"t-{n}", f"Text {n % 40}", "ab"[n % 2]) for n in range(60)]
    with (tmp_path / "train.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text", "label"), *rows])
    config = {
        "pool": {"path": "train.csv", "id": "id", "text": "text", "label": "label"},
        "labels": {"a": "The first.", "b": "The second."},
        "embedder": {"kind": planted.KIND},
    }
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    monkeypatch.setattr(population, "CONFIGS", tmp_path)

    found = population.real(tmp_path / "made", "small")

    assert len(found) == len(set(found.items.texts)) == 40
    assert found.proposals.shape == (1, 40, 2)
    assert all(
        label == int(text.split()[1]) % 2
        for text, label in zip(found.items.texts, found.truth.tolist(), strict=True)
    )


def test_data_that_is_not_there_is_named_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"pool": {"path": "gone.csv"}, "labels": {"a": "The first.", "b": "The second."}}
    (tmp_path / "trec.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    monkeypatch.setattr(population, "CONFIGS", tmp_path)

    assert fusion_with_labels.check(Cells(tmp_path)) == []
    assert "gone.csv; fused is left out on trec." in capsys.readouterr().err


def test_a_finished_cell_is_read_until_the_code_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    def simulate(rng: np.random.Generator) -> dict[str, Figure]:
        seen.append(rng.random())
        return {"share": Figure(seen[-1], 0.1, 7)}

    found = [Cells(tmp_path).keep("one", simulate) for _ in range(2)]
    monkeypatch.setattr(cells, "fingerprint", lambda: "other code")
    found.append(Cells(tmp_path).keep("one", simulate))

    assert found[0] == found[1] == found[2]
    assert len(seen) == 2


def test_a_figure_is_judged_by_its_standard_error() -> None:
    figure = Figure(0.5, 0.01, 100)

    assert judged("half", figure, 0.53, 0.6).holds
    assert not judged("half", figure, 0.53, 0.6, slack=0).holds
    assert not judged("half", figure, 0, 0.46).holds
    assert Figure.mean([0.0, 1.0]) == Figure(0.5, 0.5, 2)
    assert Figure.share([True] * 96).standard_error > 0
    spread = Figure.clustered(np.array([[1.0, 0.0], [1.0, 1.0]]))
    assert (spread.value, spread.standard_error, spread.runs) == (0.75, 0.25, 4)


def test_the_command_prints_json_or_a_table_and_ends_with_1_where_one_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Result("one", 0.5, 0.01, 100, (0.9, 1.0), holds=False)
    monkeypatch.setitem(CHECKS, "agreement", lambda cells: [wrong])
    only = ["--quick", "--folder", str(tmp_path), "--only"]

    with pytest.raises(SystemExit) as right:
        main([*only, "adjudication", "--json"])
    told = json.loads(capsys.readouterr().out)
    with pytest.raises(SystemExit) as missed:
        main([*only, "agreement,adjudication", "--json", str(tmp_path / "results.json")])
    with pytest.raises(SystemExit) as unknown:
        main([*only, "agrement"])

    assert (right.value.code, missed.value.code, unknown.value.code) == (0, 1, 2)
    assert list(told[0]) == ["name", "value", "standard_error", "runs", "wanted", "holds"]
    assert [each["holds"] for each in told] == [True, True]
    assert len(json.loads((tmp_path / "results.json").read_text())) == 3
    assert "Did you mean: agreement?" in capsys.readouterr().err
    assert as_table([wrong]).row_count == 1
