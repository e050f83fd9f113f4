"""The tables of docs/benchmarks.md that come from results of other kinds than `hilt benchmark`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from hilt.figures import percent, points, whole_percent
from hilt.pipeline.benchmarking import words
from hilt.pipeline.benchmarking.curves import LabelsTo, labels_to

SHARE = "0.95"  # of full, which most is said about


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Lay out a table, its first columns to the left."""
    rule = ["---" if place < left else "---:" for place in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def before_table(sets: Sequence[Mapping[str, Any]]) -> str:
    """Say how many labels the arms of older results need, read off their mean curves."""
    arms = list(dict.fromkeys(arm for each in sets for arm in each["arms"]))
    rows = []
    for each in sets:
        full = max(each["full"].values())
        found = {arm: words.needed(_before_needed(each, arm)) for arm in each["arms"]}
        title = [each["title"], str(each["seeds"]), spaced_percent(full)]
        rows.append(
            [*title, spaced_percent(float(SHARE) * full), *(found.get(arm, "") for arm in arms)]
        )
    target = f"{share(SHARE)} of it"
    return table(["data", "seeds", "full", target, *arms], rows)


def before_ahead(sets: Sequence[Mapping[str, Any]], arm: str, *, ahead: bool = True) -> list[str]:
    """Name the older results by whose means hilt needs fewer labels than an arm, or does not."""
    found = []
    for each in sets:
        hilt, other = _before_needed(each, "hilt"), _before_needed(each, arm)
        if (hilt.bound is None and hilt.labels < other.labels) == ahead:
            found.append(each["title"])
    return found


def before_curve(each: Mapping[str, Any]) -> str:
    """Give the accuracy of every arm of an older result at every label count."""
    rows = [
        [name, *map(with_half, arm["accuracy"], arm["half_interval"])]
        for name, arm in each["arms"].items()
    ]
    rows.append(["hilt, macro-F1", *map(points, each["hilt_macro_f1"])])
    return table(["labels", *map(number, each["labels"])], rows)


def demo_table(demo: Mapping[str, Any]) -> str:
    """Give random and chosen labels of the demo, seed by seed."""
    draws = f"{demo['labels']} random labels, mean of 5 draws"
    rows = [
        [str(seed), spaced_percent(random), spaced_percent(hilt)]
        for seed, (random, hilt) in enumerate(zip(demo["random"], demo["hilt"], strict=True))
    ]
    means = [spaced_percent(float(np.mean(demo[arm]))) for arm in ("random", "hilt")]
    alone = ["the proposer alone (zero-shot), no labels", spaced_percent(demo["proposer"]), ""]
    return table(
        ["seed", draws, f"{demo['labels']} labels chosen by hilt"],
        [*rows, ["mean", *means], [f"seed 0, {alone[0]}", *alone[1:]]],
        left=1,
    )


def demo_ahead(demo: Mapping[str, Any]) -> str:
    """Say on how many seeds chosen labels are ahead."""
    gains = _demo_gains(demo)
    return f"{int((gains > 0).sum())} of {len(gains)}"


def demo_gain(demo: Mapping[str, Any]) -> float:
    """Give the mean gain of chosen labels."""
    return float(_demo_gains(demo).mean())


def demo_error(demo: Mapping[str, Any]) -> float:
    """Give the standard error of the mean gain."""
    gains = _demo_gains(demo)
    return float(gains.std(ddof=1) / np.sqrt(len(gains)))


def bad_table(bad: Mapping[str, Any]) -> str:
    """Give the accuracy without and with a bad proposer, and what it changes."""
    rows = [
        [
            row["data"],
            number(row["labels"]),
            spaced_percent(row["alone"]),
            *(
                f"{spaced_percent(row[kind])} ({100 * (row[kind] - row['alone']):+.1f})"
                for kind in ("random", "swapped")
            ),
        ]
        for row in bad["rows"]
    ]
    header = ["data", "labels", "zero_shot alone", "with random labels", "with swapped labels"]
    return table(header, rows)


def bad_worst(bad: Mapping[str, Any]) -> float:
    """Give the largest loss by a bad proposer."""
    return -min(_bad_changes(bad))


def bad_mean(bad: Mapping[str, Any]) -> float:
    """Give the mean change by a bad proposer."""
    return float(np.mean(_bad_changes(bad)))


def peers_table(peers: Mapping[str, Any]) -> str:
    """Give small-text and hilt side by side."""
    header = ["data"]
    for count in peers["counts"]:
        header += [f"small-text, {count} labels", f"hilt, {count}"]
    rows = []
    for row in peers["rows"]:
        cells = [row["data"]]
        for theirs, ours in zip(row["small_text"], row["hilt"], strict=True):
            half = ours.get("half_interval")
            more = "" if half is None else f" ±{points(half)}"
            cells += [spaced_percent(theirs), f"{spaced_percent(ours['accuracy'])}{more}"]
        rows.append(cells)
    return table(header, rows)


def peers_lead(peers: Mapping[str, Any], place: int, without: str = "") -> float:
    """Give how far hilt is ahead on the mean of the sets, at one of the label counts."""
    leads = [
        row["hilt"][place]["accuracy"] - row["small_text"][place]
        for row in peers["rows"]
        if row["data"] != without
    ]
    return float(np.mean(leads))


def epochs_table(chosen: Mapping[str, Any]) -> str:
    """Give the accuracy of the arm `setfit` by epochs, draw by draw."""
    runs = chosen["setfit_epochs"]
    columns = sorted({run["epochs"] for run in runs})
    found: dict[tuple[str, int, int], dict[int, float]] = {}
    for run in runs:
        found.setdefault((run["data"], run["labels"], run["draw"]), {})[run["epochs"]] = run[
            "accuracy"
        ]
    rows = [
        [
            data,
            str(labels),
            str(draw),
            *(points(cells[each]) if each in cells else "" for each in columns),
        ]
        for (data, labels, draw), cells in sorted(found.items())
    ]
    return table(["data", "labels", "draw", *(f"{each} epochs" for each in columns)], rows)


def strength_table(chosen: Mapping[str, Any]) -> str:
    """Give the accuracy of plain training by the way of choosing C."""
    keys = ("c_10", "c_100", "by_accuracy", "by_log_loss", "best")
    rows = [
        [row["data"], number(row["labels"]), *(points(row[key]) for key in keys)]
        for row in chosen["plain_strength"]["rows"]
    ]
    header = ["data", "labels", "C 10", "C 100", "by accuracy", "by log-loss", "best C of all"]
    return table(header, rows)


def embedding_table(embedding: Mapping[str, Any]) -> str:
    """Give texts per second."""
    rows = [
        [
            row["corpus"],
            number(row["baseline"]),
            number(row["hilt"]),
            f"{row['hilt'] / row['baseline']:.1f}",
            f"{row['mean_cosine']:.5f}".lstrip("0"),
            f"{row['smallest_cosine']:.5f}".lstrip("0"),
        ]
        for row in embedding["rows"]
    ]
    header = ["corpus", "baseline", "hilt", "ratio", "mean cosine", "smallest cosine"]
    return table(header, rows)


def spaced(text: str) -> str:
    """Put a space before every percent sign."""
    return text.replace("%", " %")


def spaced_percent(share: float) -> str:
    """Write a share as a percentage, as in print."""
    return spaced(percent(share))


def number(value: float) -> str:
    """Write a whole number with commas."""
    return f"{value:,.0f}"


def share(value: float | str) -> str:
    """Write a share that is exact, such as a target."""
    return spaced(whole_percent(float(value)))


def listed(names: Sequence[str]) -> str:
    """Join names as a sentence does."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def with_half(mean: float, half: float | None) -> str:
    """Write a share in per cent with half of its interval, where it has one."""
    return points(mean) if half is None else f"{points(mean)} ±{points(half)}"


def _before_needed(each: Mapping[str, Any], arm: str) -> LabelsTo:
    accuracy = np.array(each["arms"][arm]["accuracy"])
    target = float(SHARE) * max(each["full"].values())
    return labels_to(np.array(each["labels"]), accuracy, target)


def _demo_gains(demo: Mapping[str, Any]) -> Any:  # noqa: ANN401
    return np.array(demo["hilt"]) - np.array(demo["random"])


def _bad_changes(bad: Mapping[str, Any]) -> list[float]:
    return [row[kind] - row["alone"] for row in bad["rows"] for kind in ("random", "swapped")]
