"""What rules amount to on a pool, and on the labels that people gave."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError
from typer.testing import CliRunner

from hilt.errors import ConfigError, WorkspaceError
from hilt.pipeline.cli import app
from hilt.pipeline.configuration.proposer_kinds import Rule
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing import rule_table as module
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.proposing.rule_table import accuracies, count_votes, rules
from hilt.pipeline.reviewing.answer_files import simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.workspace.workspace import Workspace, open_workspace

Open = Callable[[str], Workspace]

# On the sixty texts of conftest.py: 20 of sport, of which 10 have "season" and 10 "final"; 10 of
# food have "dinner", 10 of animals "river".
RULES: list[dict[str, Any]] = [
    {"name": "season", "label": "sport", "keywords": ["season", "final"]},
    {"name": "final", "label": "food", "pattern": r"\bfinal\b", "confidence": 0.6},
    {"name": "dinner", "label": "food", "keywords": ["for dinner"]},
    {"name": "nothing", "label": "animals", "keywords": ["zebra"]},
]
VOTES = np.array([[0, 0, -1], [0, 1, -1], [-1, -1, -1], [-1, 2, -1], [1, 1, 2]], dtype=np.int16)


def with_proposers(workspace: Workspace, *proposers: dict[str, Any]) -> Workspace:
    """The same workspace, with other proposers written into its configuration."""
    path = workspace.folder / "hilt.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**config, "proposers": list(proposers)}), encoding="utf-8")
    return open_workspace(workspace.folder)


def test_votes_overlaps_and_conflicts_are_counted() -> None:
    counts = count_votes(VOTES)

    assert counts.covered == 4
    assert counts.votes.tolist() == [3, 4, 1]
    assert counts.overlaps.tolist() == [3, 3, 1]
    assert counts.conflicts.tolist() == [2, 2, 1]


@given(
    arrays(np.int16, st.tuples(st.integers(0, 12), st.just(4)), elements=st.integers(-1, 2)),
    st.integers(0, 12),
)
def test_blocks_add_up_to_the_whole(votes: np.ndarray, split: int) -> None:
    parts = count_votes(votes[:split]) + count_votes(votes[split:])
    whole = count_votes(votes)

    assert parts.covered == whole.covered
    for name in ("votes", "overlaps", "conflicts"):
        assert getattr(parts, name).tolist() == getattr(whole, name).tolist()
    assert (whole.conflicts <= whole.overlaps).all()
    assert (whole.overlaps <= whole.votes).all()


def test_a_rule_is_measured_only_where_it_votes() -> None:
    first, second, third = accuracies(VOTES, np.array([0, 0, 0, 0, 0]))

    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.items, round(first.accuracy, 3)) == (3, 0.667)
    assert (second.items, second.accuracy) == (4, 0.25)
    # Wilson by hand: 0 of 1 gives 0 to z^2 / (1 + z^2).
    assert (third.low, round(third.high, 3)) == (0, 0.793)


def test_a_rule_that_votes_on_no_labelled_item_is_not_measured() -> None:
    assert accuracies(VOTES[2:3], np.array([0])) == [None, None, None]


def test_the_table_says_how_each_rule_does_on_the_pool(small_workspace: Open) -> None:
    workspace = with_proposers(small_workspace("proposed"), {"kind": "rules", "rules": RULES})

    table = rules(workspace)

    assert (table.items, table.covered) == (60, 0.5)
    assert [row.rule for row in table.rules] == ["season", "final", "dinner", "nothing"]
    assert [row.votes for row in table.rules] == [20, 10, 10, 0]
    assert [row.overlaps for row in table.rules] == [1 / 6, 1 / 6, 0, 0]
    assert [row.conflicts for row in table.rules] == [1 / 6, 1 / 6, 0, 0]
    assert [row.people for row in table.rules] == [None] * 4


def test_the_table_says_how_often_each_rule_is_right(small_workspace: Open) -> None:
    workspace = with_proposers(small_workspace("two_cycles"), {"kind": "rules", "rules": RULES})
    labels = {row.index: row for row in LoopState.read(workspace).resolved}
    texts = workspace.pool.texts(list(labels))
    finals = [row for row, text in zip(labels.values(), texts, strict=True) if "final" in text]

    table = rules(workspace)

    season, final, _, nothing = table.rules
    assert season.people is not None
    assert final.people is not None
    assert table.human_labels == len(labels) == 24
    assert table.audit_labels == sum(row.audit for row in labels.values())
    assert (season.people.accuracy, season.people.high) == (1, 1)
    assert (final.people.items, final.people.accuracy) == (len(finals), 0)
    assert nothing.people is None


def test_an_audit_answer_counts_for_each_copy_that_was_drawn(
    new_workspace: Callable[..., Workspace],
) -> None:
    copies = [(f"copy-{number}", "The office is closed.", "sport") for number in range(40)]
    workspace = new_workspace(extra=copies, test=False, audit=0.9)
    propose(workspace)
    simulate(workspace, select(workspace, 30))
    closed = {"name": "closed", "label": "sport", "keywords": ["closed"]}

    table = rules(with_proposers(workspace, {"kind": "rules", "rules": [closed]}))

    (row,) = table.rules
    assert row.people is not None
    assert row.audit is not None
    assert row.people.items == 1
    assert row.audit.items == 1 + len(LoopState.read(workspace).audit_order.copies) > 5


def test_a_large_pool_is_read_in_blocks(
    small_workspace: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = with_proposers(small_workspace("reviewed"), {"kind": "rules", "rules": RULES})
    whole = rules(workspace)
    monkeypatch.setattr(module, "BLOCK_ROWS", 7)

    assert rules(workspace) == whole


def test_the_rules_of_several_proposers_stand_in_one_table(small_workspace: Open) -> None:
    workspace = with_proposers(
        small_workspace("ready"),
        {"kind": "rules", "rules": RULES[:2]},
        {"kind": "zero_shot"},
        {"kind": "rules", "name": "more", "rules": RULES[2:]},
    )

    assert len(rules(workspace).rules) == 4


def test_a_workspace_without_rules_is_told_what_to_add(small_workspace: Open) -> None:
    with pytest.raises(WorkspaceError, match=r"has no rules; add a proposer `kind: rules`"):
        rules(small_workspace("ready"))


def test_a_rule_for_a_label_that_is_not_there_is_refused(small_workspace: Open) -> None:
    rule = {"label": "sports", "keywords": ["final"]}
    workspace = with_proposers(small_workspace("ready"), {"kind": "rules", "rules": [rule]})

    with pytest.raises(ConfigError, match="Did you mean: sport"):
        rules(workspace)


def test_the_command_prints_a_table_or_json(small_workspace: Open) -> None:
    workspace = with_proposers(small_workspace("reviewed"), {"kind": "rules", "rules": RULES})

    shown = CliRunner().invoke(app, ["rules", str(workspace.folder)])
    read = CliRunner().invoke(app, ["rules", str(workspace.folder), "--json"])

    assert (shown.exit_code, read.exit_code) == (0, 0)
    assert "dinner" in shown.stdout
    assert "50.0%" in shown.stdout
    assert f"hilt propose {workspace.folder}" in shown.stdout
    assert json.loads(read.stdout)["rules"][1]["votes"] == 10


def test_rules_and_neighbours_propose_for_a_whole_workspace(small_workspace: Open) -> None:
    workspace = with_proposers(
        small_workspace("reviewed"),
        {"kind": "zero_shot"},
        {"kind": "rules", "rules": RULES},
        {"kind": "neighbours", "k": 3},
    )

    result = propose(workspace)

    assert result.proposers == ("zero_shot", "rules", "neighbours")
    rules, near = (workspace.proposal(name).open() for name in ("rules", "neighbours"))
    assert np.isnan(rules[:, 0]).sum() == 30
    assert not np.isnan(near).any()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"label": "a"}, "one of keywords, pattern or function; this has none of them"),
        (
            {"label": "a", "keywords": ["x"], "pattern": "y"},
            "one of keywords, pattern or function; this has keywords and pattern",
        ),
        ({"label": "a", "keywords": ["x", " "]}, "a keyword is empty"),
        ({"label": "a", "pattern": "(x"}, r"'\(x' is not a regular expression: missing \)"),
        ({"label": "a", "function": "module.function"}, "write 'package.module:function'"),
        ({"keywords": ["x"]}, "a rule with keywords needs the label"),
        ({"pattern": "x"}, "a rule with pattern needs the label"),
    ],
)
def test_a_rule_that_says_too_little_or_too_much_is_refused(
    rule: dict[str, object], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        Rule.model_validate(rule)


def test_a_function_needs_no_label() -> None:
    assert Rule.model_validate({"function": "package.module:function"}).label is None
