"""A proposer that gives nearly all of its guesses to one label is pointed out, and no other."""

import csv
import json
from collections.abc import Callable

import pytest
import yaml
from typer.testing import CliRunner

from hilt.pipeline.cli import app
from hilt.pipeline.proposing.one_sided import OneSided, find_one_sided
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.values import value_of

Open = Callable[[str], Workspace]

SUBJECTS = "\u732b \u72d7 \u9a6c \u725b \u72ee\u5b50 \u9762\u5305 \u6c64 \u82f9\u679c"
SENTENCES = (
    "\u6211\u6628\u5929\u5728\u516c\u56ed\u91cc\u770b\u5230\u4e86{}\u3002",
    "\u4eca\u5929\u7684{}\u8ba9\u5927\u5bb6\u90fd\u5f88\u9ad8\u5174\u3002",
    "\u5f88\u591a\u4eba\u559c\u6b22\u8c08\u8bba{}\u3002",
)
LABELS = ("\u8d22\u7ecf", "\u4f53\u80b2", "\u79d1\u6280", "\u5a31\u4e50")


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture(scope="module")
def chinese(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Chinese texts and labels, which the English encoder cannot tell apart."""
    folder = tmp_path_factory.mktemp("chinese")
    texts = [sentence.format(word) for word in SUBJECTS.split() for sentence in SENTENCES]
    with (folder / "pool.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text",), *((text,) for text in texts)])
    config = {"pool": {"path": "pool.csv"}, "labels": list(LABELS), "device": "cpu"}
    (folder / "c.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return init(folder / "work", folder / "c.yaml")


def test_an_english_encoder_on_chinese_texts_is_pointed_out(chinese: Workspace) -> None:
    told = run("propose", chinese.folder)
    again = run("status", chinese.folder)
    found = json.loads(run("status", chinese.folder, "--json"))["one_sided"]

    expected = {"proposer": "zero_shot", "label": LABELS[0], "share": 1.0, "guesses": 24}
    assert found == [expected]
    for said in (told, again):
        assert f"zero_shot proposes {LABELS[0]!r} for 100% of 24 items." in said
        assert "multilingual" in said
    assert "Labels without a description" in told


def test_a_sane_proposer_is_not_accused(small_workspace: Open) -> None:
    workspace = small_workspace("proposed")

    result = propose(workspace)

    assert (result.one_sided, result.undescribed) == ((), ())
    assert "Labels without a description" not in run("propose", workspace.folder)


def with_guesses(workspace: Workspace, counts: dict[str, int], asked: int) -> Workspace:
    told = {"made_of": "", "proposers": {"some": {"asked": asked, "labels": counts}}}
    (workspace.folder / "guesses.json").write_text(json.dumps(told), encoding="utf-8")
    return workspace


def blind(*labels: str) -> list[ItemLabel]:
    return [ItemLabel(i, str(i), value_of(label), True, ("ann",)) for i, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("counts", "asked", "said", "accused"),
    [
        pytest.param({"a": 90, "b": 5, "c": 5}, 100, [], True, id="nine of ten"),
        pytest.param({"a": 89, "b": 6, "c": 5}, 100, [], False, id="fewer"),
        pytest.param({"a": 97, "b": 3}, 100, [], False, id="two labels are often uneven"),
        pytest.param({"a": 99, "b": 1}, 100, [], True, id="but not that much"),
        pytest.param({"a": 19, "b": 0, "c": 0}, 19, [], False, id="too few guesses to say"),
        pytest.param({"a": 60, "b": 0, "c": 0}, 100, [], False, id="one rule for one label"),
        pytest.param({"a": 95, "b": 5, "c": 0}, 100, ["a"] * 20, False, id="the pool is like that"),
        pytest.param(
            {"a": 95, "b": 5, "c": 0}, 100, ["a", "b"] * 10, True, id="and here it is not"
        ),
        pytest.param({"a": 95, "b": 5, "c": 0}, 100, ["b"] * 9, True, id="too few labels to say"),
    ],
)
def test_the_threshold_takes_an_uneven_pool_into_account(
    small_workspace: Open, counts: dict[str, int], asked: int, said: list[str], accused: bool
) -> None:
    workspace = with_guesses(small_workspace("ready"), counts, asked)

    found = find_one_sided(workspace, blind(*said))

    assert found == ((OneSided("some", "a", counts["a"] / 100, 100),) if accused else ())


def test_a_workspace_of_before_has_nothing_to_say_until_it_proposes(small_workspace: Open) -> None:
    workspace = small_workspace("proposed")
    (workspace.folder / "guesses.json").unlink()

    assert find_one_sided(workspace, ()) == ()
    assert propose(workspace).made == ()
    assert (workspace.folder / "guesses.json").exists()


def test_what_repeats_the_labels_of_people_is_not_judged(small_workspace: Open) -> None:
    folder = small_workspace("reviewed").folder
    path = folder / "hilt.yaml"
    kinds = "proposers: [{kind: zero_shot}, {kind: neighbours}]\n"
    path.write_text(path.read_text("utf-8") + kinds, "utf-8")

    propose(open_workspace(folder))

    told = json.loads((folder / "guesses.json").read_text("utf-8"))
    assert list(told["proposers"]) == ["zero_shot"]
