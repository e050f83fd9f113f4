"""The one gate for decisions."""

import math
import os
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hilt
from hilt.errors import DataError
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.answer_files import import_answers, record
from hilt.pipeline.workspace.decision_rows import decision_row
from hilt.pipeline.workspace.gate import ACTIONS, KINDS, add_decisions, misfit
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.tasks.single import Single
from hilt.types import Decision

LABELS = ("animals", "food", "sport", "tech")
FIT: dict[str, Any] = {
    "item_id": "cat-0",
    "action": "label",
    "value": ("food",),
    "reviewer": "ann",
}
MISFITS: list[tuple[dict[str, Any], str]] = [
    ({"value": "food"}, "value is 'food'; it must be a tuple of labels"),
    ({"value": None}, "value is None; it must be a tuple"),
    ({"value": ()}, "the answer is 'nothing'; it must be exactly one label"),
    ({"value": ("food", "sport")}, "the answer is 'food, sport'; it must be exactly one label"),
    ({"value": ("fod",)}, "'fod' is not a label. Did you mean: food?"),
    ({"value": (7,)}, r"value is \(7,\); it must be a tuple"),
    ({"value": (["food"],)}, r"value is \(\['food'\],\); it must be"),
    ({"action": "labelled"}, "the action is 'labelled'. Did you mean: label?"),
    ({"action": "undo", "value": ()}, "the action is 'undo'.* Allowed: label, skip, flag"),
    ({"action": None}, "the action is None"),
    ({"action": "skip"}, "the action is 'skip' but the answer is 'food'"),
    ({"reviewer": ""}, "the reviewer is ''; give the name of the person"),
    ({"reviewer": "  "}, "give the name of the person"),
    ({"reviewer": None}, "the reviewer is None"),
    ({"reviewer": "ann\n"}, "no control characters"),
    ({"reviewer": "a\x1b[31m"}, "no control characters"),
    ({"reviewer": "a" * 201}, "at most 200 characters"),
    ({"reviewer": "a\ud800"}, "no control characters"),
    ({"reviewer": "Gold"}, "reserved for known answers"),
    ({"reviewer": "machine:fused"}, "names that begin with 'machine:' are reserved for proposers"),
    (
        {"reviewer": "Resolved:skill"},
        "names that begin with 'resolved:' are reserved for hilt's own rules",
    ),
    ({"reviewer": "resolved:skill", "kind": "adjudication"}, "names that begin with 'resolved:'"),
    (
        {"reviewer": "ann", "kind": "machine"},
        "machine decisions have names that begin with 'machine:'",
    ),
    ({"reviewer": "ann", "kind": "rule"}, "rule decisions have names that begin with 'resolved:'"),
    ({"reviewer": "ann", "kind": "gold"}, "known answers are those of 'gold'"),
    ({"kind": "golden"}, "the kind is 'golden'. Did you mean: gold.* Allowed: review, bulk, "),
    ({"kind": None}, "the kind is None"),
    (
        {"reviewer": "gold", "kind": "gold", "action": "skip", "value": ()},
        "a known answer must be a",
    ),
    ({"seconds": -4}, "seconds is -4; it must be a number of at least 0"),
    ({"seconds": math.nan}, "seconds is nan"),
    ({"seconds": math.inf}, "seconds is inf"),
    ({"seconds": 86401}, r"at most a day \(86,400\)"),
    ({"seconds": True}, "seconds is True"),
    ({"seconds": "5"}, "seconds is '5'"),
    ({"comment": "\ud800"}, "the comment is '\\\\ud800', which contains half of a surrogate"),
    ({"comment": None}, "the comment is None; it must be a text"),
    ({"comment": "a\0"}, "or a NUL"),
    ({"item_id": 7}, "the item's id is 7; it must be a text"),
    ({"item_id": "cat-99"}, "no item of the pool has the id 'cat-99'"),
    ({"batch": 9}, "batch 9 has no item"),
    ({"batch": "1"}, "batch is '1'; it must be a whole number"),
    ({"batch": [1]}, r"batch is \[1\]"),
    ({"decided_at": "today"}, "decided_at is 'today'"),
    ({"decided_at": datetime(2999, 1, 1)}, "not in the future"),
    ({"decided_at": datetime(1, 1, 1, tzinfo=UTC)}, "it must be after 1970"),
]


@pytest.fixture(scope="module")
def workspace(stages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One for all tests, for none of them stores anything."""
    return open_workspace(shutil.copytree(stages["selected"], tmp_path_factory.mktemp("w") / "w"))


@pytest.mark.parametrize(("fields", "reason"), MISFITS)
def test_what_does_not_fit_is_refused_before_anything_is_stored(
    workspace: Workspace, fields: dict[str, Any], reason: str
) -> None:
    sound = Decision("soup-1", "label", ("food",), "ann")

    with pytest.raises(DataError, match=f"decision 2: .*{reason}(.|\n)*Nothing was stored"):
        record(workspace, [sound, Decision(**(FIT | fields))])
    assert workspace.database.decisions() == []


@pytest.mark.parametrize("thing", [None, {"item_id": "cat-0"}, ("cat-0", "label"), "cat-0"])
def test_what_is_no_decision_is_refused(workspace: Workspace, thing: Any) -> None:
    with pytest.raises(DataError, match=r"decision 1: it is a .*; it must be a hilt\.Decision"):
        record(workspace, [thing])


@pytest.mark.parametrize(("index", "reason"), [(-1, "no item -1"), (10**6, "no item 1000000")])
def test_a_row_outside_of_the_pool_is_refused(
    workspace: Workspace, index: int, reason: str
) -> None:
    row, sound = (decision_row(Decision(**FIT), place, None) for place in (index, 0))

    with pytest.raises(DataError, match=reason):
        add_decisions(workspace, workspace.database, [sound, row])
    assert workspace.database.decisions() == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [("", "give the name"), (" ", "give the name"), ("machine:x", "machine"), ("gold", "")],
)
def test_an_import_for_no_person_is_refused(
    workspace: Workspace, tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "a.csv").write_text("id,label\ncat-0,animals\n")

    with pytest.raises(DataError, match=f"--reviewer.*{reason}"):
        import_answers(workspace, tmp_path / "a.csv", reviewer=name)
    assert workspace.database.decisions() == []


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=4),
    st.just([]),
    st.dates(),
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "item_id": ANYTHING,
            "action": st.one_of(st.sampled_from(ACTIONS), ANYTHING),
            "value": st.one_of(st.tuples(st.sampled_from(LABELS)), st.tuples(ANYTHING), ANYTHING),
            "reviewer": ANYTHING,
            "batch": ANYTHING,
            "seconds": ANYTHING,
            "comment": ANYTHING,
            "source": ANYTHING,
            "kind": st.one_of(st.sampled_from(KINDS), ANYTHING),
            "decided_at": st.one_of(st.datetimes(), ANYTHING),
        },
    )
)
def test_whatever_a_decision_holds_it_fits_or_there_is_a_sentence(fields: dict[str, Any]) -> None:
    said = Decision(**(FIT | fields))

    reason = misfit(said, Single(LABELS).answers)

    if reason is not None:
        assert 10 < len(reason) < 600
        return
    row = decision_row(said, 0, None)
    assert len(row.value) == (row.action == "label")
    assert {part.label for part in row.value} <= set(LABELS)
    assert row.reviewer.strip() == row.reviewer != ""
    assert row.seconds is None or 0 <= row.seconds <= 86400
    (row.comment + row.reviewer + row.item_id + row.source).encode()


def test_what_hilt_itself_stores_fits() -> None:
    machine = SimpleNamespace(kind="machine", reviewer="machine:fused")
    gold = SimpleNamespace(kind="gold", reviewer="gold")
    rule = SimpleNamespace(kind="rule", reviewer="resolved:majority")
    late = datetime.now(UTC) + timedelta(hours=2)
    for who in (machine, gold, rule):
        said = Decision(**(FIT | vars(who) | {"decided_at": late, "seconds": 86400}))
        assert misfit(said, Single(LABELS).answers) is None


def test_nothing_is_stored_but_through_the_gate() -> None:
    package = Path(hilt.__file__).parent
    sources = {
        str((Path(folder) / name).relative_to(package)): (Path(folder) / name).read_text("utf-8")
        for folder, _, names in os.walk(package, followlinks=True)
        for name in names
        if name.endswith(".py")
    }

    def users(pattern: str) -> set[str]:
        return {name for name, text in sources.items() if re.search(pattern, text)}

    assert users(r"database\.add_decisions\(") == {"pipeline/workspace/gate.py"}
    assert users(r"insert_decisions\(session,") == {"pipeline/workspace/gate.py"}
    assert users(r"insert\(session, DecisionRow") == {"pipeline/workspace/inserting.py"}
    makers = users(r"\bdecision_row\(|\bDecisionRow\(")
    makers -= {
        "pipeline/workspace/decision_rows.py",
        "pipeline/workspace/tables.py",
    }  # where they are defined
    assert makers == {
        "pipeline/reviewing/disagreements.py",
        "pipeline/reviewing/desk/answer_checks.py",
        "pipeline/reviewing/recording.py",
        "pipeline/reviewing/restoring.py",
    }
    assert makers <= users("from hilt.pipeline.workspace.gate import")


def test_numbers_of_numpy_are_numbers(small_workspace: Callable[[str], Workspace]) -> None:
    workspace = small_workspace("selected")
    item = next(each for each in LoopState.read(workspace).batch(1).items if not each.blind)
    told = Decision(
        item.item_id,
        "label",
        ("food",),
        "ann",
        seconds=np.float32(2.5),  # type: ignore[arg-type]
        batch=np.int64(1),  # type: ignore[arg-type]
    )

    hilt.record(workspace, [told])

    (row,) = workspace.database.decisions()
    assert (row.batch, row.seconds) == (1, 2.5)
