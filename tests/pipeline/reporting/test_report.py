import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hilt.errors import OutputError
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.reporting.mistakes import wrong_predictions
from hilt.pipeline.reporting.report import render_report, report
from hilt.pipeline.reporting.report_tables import TOO_EARLY, proposer_columns, proposer_rows
from hilt.pipeline.reviewing.answer_files import record, simulate
from hilt.pipeline.reviewing.oracle import oracle
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.selecting.explanation import in_words
from hilt.pipeline.students.saved import load_out_of_fold
from hilt.pipeline.training.headline import MIN_AUDIT
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.decision_rows import decision_row
from hilt.pipeline.workspace.tables import BatchItemRow, TrainingRow
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.types import Batch, Decision
from tests.conftest import summary_of
from tests.one_label import measured

OPEN_COPY = Callable[[str], Workspace]
NOW = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
VOID = {"meta", "br"}  # the others that are empty close themselves
REVIEWER_ROWS = 2  # at the end of the page: the names of the columns, and one reviewer
LABELS = ("animals", "food", "sport")
EVIL = "<script>alert('x')</script>"


class Page(HTMLParser):
    """Reads a page, minding that every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._open += [] if tag in VOID else [tag]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        if {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data


def page_of(workspace: Workspace) -> Page:
    return Page(render_report(LoopState.read(workspace), NOW))


def curves_on(page: Page, kind: str) -> int:
    labels = [value or "" for name, value in page.attributes if name == "aria-label"]
    where = {"test": "on the test set", "audit": "on items like the pool"}[kind]
    return sum(f"{where} over" in label for label in labels)


def audited(labels: int) -> dict[str, Any]:
    """What a training measured on as many audit items."""
    rng = np.random.default_rng(0)
    found = measured(rng.dirichlet([1, 1, 1], labels), rng.integers(3, size=labels))
    everybody = ("student", "proposer", "fused")
    return {
        "audit": dict.fromkeys(everybody, found.to_dict()),
        "on_pool": dict.fromkeys(everybody, found.share()),
        "on_rest": {who: {**found.share(), "accuracy": 0.5} for who in everybody},
    }


def add_training(workspace: Workspace, **changes: Any) -> None:
    """One more training, as the last one but for some of its summary."""
    last = workspace.database.trainings()[-1]
    workspace.database.add_training(
        TrainingRow(
            cycle=last.cycle + 1,
            fingerprint="another",
            last_decision=last.last_decision,
            summary=replace(last.summary, **changes),
            created_at=NOW,
        )
    )


def row_of(page: Page, item_id: str) -> list[str]:
    (row,) = [row for row in page.rows if len(row) == 7 and row[1] == item_id]
    return row


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("ready", "The workspace is ready: 60 items, no proposals yet."),
        ("proposed", "60 items have a proposal; no batch is selected yet."),
        ("selected", "A batch of 12 items is waiting for review; there are no labels yet."),
        ("reviewed", "People have labelled 12 items; no student is trained yet."),
        ("trained", "After 12 labels the student is right on"),
        ("two_cycles", "After 24 labels the student is right on"),
    ],
)
def test_a_report_can_be_written_at_every_stage(
    small_workspace: OPEN_COPY, stage: str, said: str
) -> None:
    workspace = small_workspace(stage)

    path = report(workspace)

    assert path == workspace.folder / "report.html"
    assert said in Page(path.read_text(encoding="utf-8")).words
    assert not list(workspace.folder.glob("*.tmp"))


def test_the_verdict_and_the_table_say_what_the_training_measured(
    small_workspace: OPEN_COPY,
) -> None:
    workspace = small_workspace("two_cycles")
    student = workspace.database.trainings()[-1].summary.test["student"]  # type: ignore[index]

    page = page_of(workspace)

    accuracy = f"{student['accuracy']:.1%}".replace("%", "\u00a0%")
    interval = f"{100 * student['low']:.1f}\u2013{100 * student['high']:.1f}"
    assert f"right on {accuracy} (95\u00a0% interval {interval}) of 20 test items" in page.words
    assert [row for row in page.rows if row[0] == "2" and accuracy + interval in row]


def test_both_ways_of_measuring_have_their_curve_once_there_are_30_audit_labels(
    small_workspace: OPEN_COPY,
) -> None:
    workspace = small_workspace("two_cycles")

    few = page_of(workspace)
    add_training(workspace, **audited(MIN_AUDIT))
    many = page_of(workspace)

    assert [curves_on(few, kind) for kind in ("test", "audit")] == [1, 0]
    assert [curves_on(many, kind) for kind in ("test", "audit")] == [1, 1]


@pytest.fixture(scope="module")
def trained_without_test(
    make_workspace_in: Callable[..., Workspace], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A trained workspace that only audit items measure; copy, do not change."""
    workspace = make_workspace_in(tmp_path_factory.mktemp("no-test"), test=False)
    propose(workspace)
    simulate(workspace, select(workspace))
    train(workspace)
    workspace.database.close()
    return workspace.folder


@pytest.fixture
def without_test(trained_without_test: Path, tmp_path: Path) -> Workspace:
    return open_workspace(shutil.copytree(trained_without_test, tmp_path / "without"))


def test_under_30_audit_labels_no_accuracy_is_claimed_for_the_pool(
    without_test: Workspace,
) -> None:
    page = page_of(without_test)

    assert "After 12 labels it is too early to say how often the student is right: 3 checked." in (
        page.words
    )
    assert re.search(
        r"Accuracy on labelled items: [\d.]+\xa0% "
        r"\([\d.]+\xa0% to [\d.]+\xa0%\) of 12, cross-validated\.",
        page.words,
    )
    assert (
        "It is too early to say how accurate the student is on items like the pool, and on what is"
        " left of the pool: 3 checked." in page.words
    )
    assert ("id", "calibration") not in page.attributes
    (proposer,) = [row for row in page.rows if row[0] == "zero_shot"]
    assert proposer[1:3] == [TOO_EARLY, "3"]


def test_an_older_training_is_told_with_its_accuracy_on_labelled_items(
    without_test: Workspace,
) -> None:
    new = page_of(without_test).words
    last = without_test.database.trainings()[-1]
    older = replace(last.summary, labelled=None)
    row = TrainingRow(
        cycle=2, fingerprint="old", last_decision=12, summary=older, created_at=last.created_at
    )
    without_test.database.add_training(row)
    shutil.copytree(without_test.student_folder(1), without_test.student_folder(2))

    old = page_of(without_test).words

    said = re.search(r"Accuracy on labelled items.*", new)
    assert said is not None
    assert said[0] in old


@pytest.mark.parametrize(("labels", "claimed"), [(MIN_AUDIT - 1, False), (MIN_AUDIT, True)])
def test_from_30_audit_labels_on_they_measure(
    without_test: Workspace, labels: int, claimed: bool
) -> None:
    add_training(without_test, **audited(labels))

    page = page_of(without_test)

    for where in ("on items like the pool", "on what is left of the pool"):
        assert (f") {where}" in page.words) is claimed
    assert (f"This rests on {labels} items drawn at random." in page.words) is claimed
    assert (f"left of the pool: {labels} checked" in page.words) is not claimed
    assert (f"The latest student on {labels} audit items" in page.words) is claimed


def test_without_a_test_set_and_audit_items_nothing_is_claimed(
    new_workspace: Callable[..., Workspace],
) -> None:
    workspace = new_workspace(test=False, audit=0.0)
    propose(workspace)
    simulate(workspace, select(workspace))
    train(workspace)

    page = page_of(workspace)

    assert "left of the pool: 0 checked" in page.words
    assert ("id", "calibration") not in page.attributes


def test_the_report_says_who_fused(small_workspace: OPEN_COPY) -> None:
    workspace = small_workspace("trained")
    before = page_of(workspace)
    propose(workspace)
    after = page_of(workspace)

    assert "by the fused proposal of the proposer alone." in before.words
    assert "by the fused proposal of the proposer and the student of cycle 1." in after.words


def test_wrong_predictions_stand_with_their_texts_the_surest_first(
    small_workspace: OPEN_COPY,
) -> None:
    workspace = small_workspace("two_cycles")
    out_of_fold = load_out_of_fold(workspace.student_folder(2))
    assert out_of_fold is not None
    indices, said = out_of_fold.indices.tolist(), out_of_fold.said.values
    right = {index: LABELS[row.argmax()] for index, row in zip(indices, said, strict=True)}
    outcomes = {each.index: each for each in LoopState.read(workspace).resolved}
    sure = max(right, key=lambda index: said[indices.index(index)].max())
    other = next(label for label in LABELS if label != right[sure])
    record(workspace, [Decision(outcomes[sure].item_id, "label", (other,), "bob")])

    labelled, *_ = wrong_predictions(
        workspace, workspace.database.trainings()[-1], LoopState.read(workspace).resolved
    )
    page = page_of(workspace)

    first = labelled.worst[0]
    assert (first.item_id, first.label, first.predicted) == (
        outcomes[sure].item_id,
        other,
        right[sure],
    )
    assert [each.probability for each in labelled.worst] == sorted(
        (each.probability for each in labelled.worst), reverse=True
    )
    probability = f"{first.probability:.0%}".replace("%", "\u00a0%")
    assert [first.item_id, first.text, other, right[sure], probability] in page.rows


def test_wrong_predictions_on_the_test_set_are_those_that_were_measured(
    small_workspace: OPEN_COPY,
) -> None:
    workspace = small_workspace("two_cycles")
    training = workspace.database.trainings()[-1]
    measured = training.summary.test["student"]  # type: ignore[index]

    found = wrong_predictions(workspace, training, LoopState.read(workspace).resolved)

    (test,) = [mistakes for mistakes in found if mistakes.on == "test items"]
    assert test.items == measured["items"]
    assert test.wrong == round((1 - measured["accuracy"]) * measured["items"])


def test_skips_flags_and_comments_stand_with_who_said_what(small_workspace: OPEN_COPY) -> None:
    workspace = small_workspace("selected")
    first, second, third, *_ = LoopState.read(workspace).batch(1).items
    said = [
        Decision(first.item_id, "skip", (), "ann", batch=1),
        Decision(second.item_id, "flag", (), "bob", batch=1, comment=EVIL),
        Decision(third.item_id, "label", ("food",), "ann", batch=1, comment="or sport?"),
    ]
    record(workspace, said)

    page = page_of(workspace)

    assert [first.item_id, first.text, "ann", "skip", "", ""] in page.rows
    assert [second.item_id, second.text, "bob", "flag", EVIL, ""] in page.rows
    assert [third.item_id, third.text, "ann", "label", "or sport?", "food"] in page.rows


def test_texts_labels_and_ids_never_become_markup(
    new_workspace: Callable[..., Workspace],
) -> None:
    labels = (f"{EVIL}{{{{ 7 * 7 }}}}", '"><img src=x onerror=alert(1)>', "sport")
    texts = [(f"{EVIL}{n}", f"{EVIL} <b>bold</b> \" ' {n}", labels[0]) for n in range(40)]
    workspace = new_workspace(labels=labels, extra=texts)
    propose(workspace)
    simulate(workspace, select(workspace, 20))  # more would train an encoder
    train(workspace)
    propose(workspace)

    page = page_of(workspace)

    assert not {"script", "img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert page.words.count(EVIL) > 20
    assert f"{EVIL}{{{{ 7 * 7 }}}}" in page.words


def test_the_page_needs_nothing_from_elsewhere(small_workspace: OPEN_COPY) -> None:
    html = render_report(LoopState.read(small_workspace("two_cycles")), NOW)
    page = Page(html)

    assert not re.findall(r"https?:|url\(|@import", html)
    assert not {"script", "link", "iframe", "object", "base", "form"} & set(page.tags)
    assert not {"src", "href", "srcset", "action"} & {name for name, _ in page.attributes}
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:;" in html


def test_a_blind_item_hides_its_proposal_until_it_has_a_label(
    small_workspace: OPEN_COPY,
) -> None:
    workspace = small_workspace("selected")
    batch = LoopState.read(workspace).batch(1)
    blind = [item for item in batch.items if item.blind]
    record(workspace, [Decision(blind[0].item_id, "label", ("food",), "ann", batch=1)])
    record(workspace, [Decision(blind[1].item_id, "skip", (), "ann", batch=1)])

    page = page_of(workspace)

    assert row_of(page, blind[0].item_id)[5].startswith(blind[0].proposal[0].label)
    assert row_of(page, blind[1].item_id)[5:] == ["hidden", "skipped"]
    assert row_of(page, blind[2].item_id)[5:] == ["hidden", "undecided"]


def test_a_seen_proposal_is_shown_with_what_became_of_it(small_workspace: OPEN_COPY) -> None:
    workspace = small_workspace("selected")
    first, second, third, *_ = [
        item for item in LoopState.read(workspace).batch(1).items if not item.blind
    ]
    other = next(label for label in ("food", "sport") if label != second.proposal[0].label)
    said = [
        Decision(first.item_id, "label", (first.proposal[0].label,), "ann", batch=1, seconds=30),
        Decision(second.item_id, "label", (other,), "ann", batch=1, seconds=60),
        Decision(third.item_id, "flag", (), "bob", batch=1),
    ]
    record(workspace, said)

    page = page_of(workspace)

    assert row_of(page, first.item_id)[6] == f"{first.proposal[0].label}accepted"
    assert row_of(page, second.item_id)[6] == f"{other}changed"
    assert row_of(page, third.item_id)[6] == "flagged"
    assert "accepted in 1 of 2 cases (50.0\u00a0%)" in page.words
    assert ["ann", "2", "2", "0", "0", "1.5"] in page.rows
    assert ["bob", "1", "0", "0", "1", "not measured"] in page.rows
    assert "simulated reviewer" not in page.words


def test_every_item_of_the_batch_says_why_and_is_on_the_map(small_workspace: OPEN_COPY) -> None:
    workspace = small_workspace("selected")
    page = Page(render_report(LoopState.read(workspace), NOW))

    for item in LoopState.read(workspace).batch(1).items:
        assert in_words(item) in page.words
        assert f"{item.rank + 1} in the batch, {item.reason}" in page.words


def test_the_report_says_what_review_costs_and_whether_choosing_helps(
    small_workspace: OPEN_COPY,
) -> None:
    page = Page(render_report(LoopState.read(small_workspace("two_cycles")), NOW))

    assert "A decision takes 5.0 s (median of 24)." in page.words
    assert "Selected and random labels cannot be compared yet" in page.words


def test_a_recheck_is_undecided_until_it_is_answered(small_workspace: OPEN_COPY) -> None:
    workspace = small_workspace("reviewed")
    before = LoopState.read(workspace).batch(1).items[0]
    row = workspace.database.batch_items(1)[0]
    again = BatchItemRow(
        rank=0,
        item_index=row.item_index,
        item_id=row.item_id,
        reason="recheck",
        score=0.9,
        blind=False,
        proposal=row.proposal,
    )
    workspace.database.add_batch(1, {"kind": "auto"}, [again])

    open_ = Page(render_report(LoopState.read(workspace), NOW)).rows[-1 - REVIEWER_ROWS]
    record(workspace, [Decision(before.item_id, "label", ("food",), "ann", 2)])
    decided = Page(render_report(LoopState.read(workspace), NOW)).rows[-2 - REVIEWER_ROWS]

    assert open_[-1] == "undecided"
    assert decided[-1].startswith("food")


def test_simulated_decisions_are_called_simulated(small_workspace: OPEN_COPY) -> None:
    assert (
        "All 12 decisions come from the simulated reviewer"
        in page_of(small_workspace("reviewed")).words
    )


def test_a_machines_answers_stand_apart_from_peoples(small_workspace: OPEN_COPY) -> None:
    workspace = small_workspace("selected")
    answered = oracle(workspace, least=0.5).answers
    first = answered[0]
    record(workspace, [Decision(first.item_id, "label", (first.label,), "ann", batch=1)])

    page = page_of(workspace)

    words = " ".join(page.words.split())
    assert "Human labels10 of them blind audit" in words
    assert f"Machine labels{len(answered) - 1}by the oracle: all models agree" in words
    assert row_of(page, first.item_id)[6] == f"{first.label}accepted"
    assert row_of(page, answered[1].item_id)[6] == f"{answered[1].label}machine"
    assert "accepted in 1 of 1 cases" in page.words
    assert ["ann", "1", "1", "0", "0", "not measured"] in page.rows
    assert ["machine:fused", str(len(answered))] in page.rows
    assert not [row for row in page.rows if row[0] == "machine:fused" and len(row) > 2]


def test_without_an_oracle_no_machine_is_spoken_of(small_workspace: OPEN_COPY) -> None:
    assert "achine" not in page_of(small_workspace("reviewed")).words


def test_a_machines_answer_does_not_give_a_blind_item_away(small_workspace: OPEN_COPY) -> None:
    workspace = small_workspace("selected")
    blind = next(item for item in LoopState.read(workspace).batch(1).items if item.blind)
    row = decision_row(
        Decision(blind.item_id, "label", ("food",), "machine:fused", kind="machine"),
        blind.index,
        None,
    )
    workspace.database.add_decisions([row])

    assert row_of(page_of(workspace), blind.item_id)[5:] == ["hidden", "undecided"]


def test_proposers_are_measured_in_a_table() -> None:
    measured = {"accuracy": 0.92, "low": 0.854, "high": 0.958, "calibration_error": 0.0312}
    measured["calibration_limit"] = 0.0204
    nothing = dict.fromkeys(measured)
    summary = summary_of(
        proposers={
            "student": {**measured, "labels": 1200, "coverage": 1.0, "weight": 0.5},
            "rules": {**nothing, "labels": 0, "coverage": 0.104, "weight": 0.25},
            "fused": {**measured, "labels": 1200, "coverage": 1.0, "weight": None},
        }
    )

    assert proposer_rows(summary) == [
        ["student", "92.0% (85.4\u201395.8)", "1,200", "100.0%", "0.031 (to 0.020)", "0.50"],
        ["rules", "\u2013", "0", "10.4%", "\u2013", "0.25"],
        ["fused", "92.0% (85.4\u201395.8)", "1,200", "100.0%", "0.031 (to 0.020)", "\u2013"],
    ]
    assert all(len(row) == len(proposer_columns("accuracy")) for row in proposer_rows(summary))


def test_the_report_shows_what_the_last_training_says_of_proposers(
    small_workspace: OPEN_COPY,
) -> None:
    workspace = small_workspace("trained")
    rows = proposer_rows(workspace.database.trainings()[-1].summary)

    page = page_of(workspace)

    assert [row[0] for row in rows] == ["student", "zero_shot", "fused"]
    assert all([cell.replace("%", "\u00a0%") for cell in row] in page.rows for row in rows)


def test_an_older_training_says_nothing_of_proposers(small_workspace: OPEN_COPY) -> None:
    workspace = small_workspace("trained")
    last = workspace.database.trainings()[-1]
    older = {**last.summary.to_dict(), "fusion": [0.75, 0.5]}
    del older["proposers"], older["format"]
    summary = TrainingSummary.parse(older)
    workspace.database.add_training(
        TrainingRow(cycle=2, fingerprint="old", last_decision=12, summary=summary, created_at=NOW)
    )

    page = page_of(workspace)

    assert proposer_rows(summary) == []
    assert "Proposers" not in page.words
    assert "0.75 : 0.50" in page.words


def test_labels_that_came_after_the_training_are_mentioned(small_workspace: OPEN_COPY) -> None:
    workspace = small_workspace("trained")
    propose(workspace)
    batch = select(workspace)
    simulate(workspace, Batch(batch.number, LoopState.read(workspace).undecided(batch).items[:5]))

    assert "5 more labels have come in since that training." in page_of(workspace).words


def test_a_long_text_is_cut_with_its_whole_in_the_tooltip(
    new_workspace: Callable[..., Workspace],
) -> None:
    long = "long " * 100
    workspace = new_workspace(extra=[("long", long, "food")])
    propose(workspace)
    select(workspace, 61)

    page = page_of(workspace)

    assert len(row_of(page, "long")[2]) == 300
    assert ("title", long) in page.attributes


def test_the_same_state_makes_the_same_page(small_workspace: OPEN_COPY) -> None:
    workspace = small_workspace("two_cycles")

    state, again = LoopState.read(workspace), LoopState.read(workspace)
    assert render_report(state, NOW) == render_report(again, NOW)


def test_a_report_goes_where_it_is_asked_to(small_workspace: OPEN_COPY, tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"

    assert report(small_workspace("ready"), path) == path
    assert path.exists()


def test_a_folder_is_no_place_for_a_page(small_workspace: OPEN_COPY, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder; name a file"):
        report(small_workspace("ready"), tmp_path)
