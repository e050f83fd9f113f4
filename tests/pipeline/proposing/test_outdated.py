"""What on disk another configuration made is never used: made anew, or refused with a sentence."""

import csv
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from typer.testing import CliRunner

import hilt
from hilt.errors import WorkspaceError
from hilt.pipeline.cli import app
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing import costs
from hilt.pipeline.proposing.embedding import load_embedder
from hilt.pipeline.proposing.outdated import read_outdated, say_outdated
from hilt.pipeline.reporting.report import render_report
from hilt.pipeline.reviewing.answer_files import simulate
from hilt.pipeline.reviewing.next_steps import next_step
from hilt.pipeline.students.saved import read_student
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.progress import Advance
from hilt.proposers.models.encoder import DEFAULT_MODEL, resolve_encoder, resolve_precision
from tests.one_label import known_positions
from tests.proposers.endpoint.test_endpoint import Server, StartServer, start_server

__all__ = ["start_server"]

Open = Callable[[str], Workspace]
Paid = tuple[Workspace, Server, dict[str, Any]]


class Notes:
    """Remembers what was said before the work went on."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    @contextmanager
    def task(self, description: str, total: int, unit: str) -> Iterator[Advance]:
        yield lambda amount: None

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="session")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The default encoder pooled otherwise: into as many dimensions, and into twice as many."""
    folder = tmp_path_factory.mktemp("encoders")
    for name, pooling in {
        "same": {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False},
        "wide": {"pooling_mode_cls_token": True},
    }.items():
        shutil.copytree(resolve_encoder(DEFAULT_MODEL), folder / name)
        path = folder / name / "1_Pooling" / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **pooling}))
    return {name: str(folder / name) for name in ("same", "wide")}


USUAL_PRECISION = resolve_precision("auto", "cpu")
OTHER_PRECISION = "float32" if torch.bfloat16 == USUAL_PRECISION else "bfloat16"
CHANGES: dict[str, dict[str, Any]] = {
    "other dimension": {"embedder": {"model": "wide"}},
    "same dimension": {"embedder": {"model": "same"}},
    "max_tokens": {"embedder": {"max_tokens": 8}},
    "prompt": {"embedder": {"prompt": "query: "}},
    "description prompt": {"embedder": {"description_prompt": "label: "}},
    "precision": {"embedder": {"precision": OTHER_PRECISION}},
    "a proposer's setting": {"proposers": [{"kind": "zero_shot", "temperature": 0.2}]},
    "a description": {"labels": {"animals": "wild beasts", "food": "about food", "sport": "x"}},
}
WHY = {
    "other dimension": r"embedder\.model was '.*MiniLM.*' and is '.*wide'",
    "same dimension": r"embedder\.model was '.*MiniLM.*' and is '.*same'",
    "max_tokens": r"embedder\.max_tokens was 256 and is 8",
    "prompt": r"embedder\.prompt was '' and is 'query: '",
    "description prompt": r"description_prompt",
    "precision": rf"embedder\.precision was \w+ and is {OTHER_PRECISION}",
    "a proposer's setting": r"temperature was 0\.05 and is 0\.2",
    "a description": r"the description of 'animals', 'sport' changed",
}
FOR_STUDENTS = [change for change in CHANGES if change != "a proposer's setting"]


def change(workspace: Workspace, encoders: dict[str, str], changes: dict[str, Any]) -> Workspace:
    """Edit hilt.yaml, as a user does between commands."""
    path = workspace.folder / "hilt.yaml"
    values = yaml.safe_load(path.read_text("utf-8")) | changes
    model = values.get("embedder", {}).get("model")
    if model in encoders:
        values["embedder"] = values["embedder"] | {"model": encoders[model]}
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    workspace.database.close()
    return open_workspace(workspace.folder, progress=Notes())


def said(workspace: Workspace) -> str:
    assert isinstance(workspace.progress, Notes)
    return "\n".join(workspace.progress.notes)


def fresh_embeddings(workspace: Workspace) -> np.ndarray:
    return load_embedder(workspace).embed(workspace.pool.texts(slice(None)))


def assert_nothing_is_outdated(workspace: Workspace) -> None:
    """Everything on disk is what the configuration makes, down to the vectors."""
    assert read_outdated(LoopState.read(workspace)) == ([], None)
    found = workspace.embeddings.open().astype(np.float32)
    assert found == pytest.approx(fresh_embeddings(workspace), abs=0.02)
    assert workspace.graph is not None
    if workspace.database.trainings():
        assert workspace.student_proposal is not None


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_changed_is_told_by_those_who_only_read(
    small_workspace: Open, encoders: dict[str, str], name: str
) -> None:
    workspace = change(small_workspace("two_cycles"), encoders, CHANGES[name])
    before = {path: path.read_bytes() for path in workspace.folder.glob("*.npy")}

    told = hilt.status(workspace).outdated

    assert told
    assert hilt.status(workspace).outdated == told
    assert re.search(WHY[name], " ".join(told))
    page = render_report(LoopState.read(workspace), workspace.database.trainings()[0].created_at)
    assert told[0].split("'")[0] in page
    assert "Predicted in the pool" not in page
    assert read_outdated(LoopState.read(workspace))[0]
    assert {path: path.read_bytes() for path in workspace.folder.glob("*.npy")} == before


@pytest.mark.parametrize("name", CHANGES)
def test_a_cycle_makes_everything_anew(
    small_workspace: Open, encoders: dict[str, str], name: str
) -> None:
    workspace = change(small_workspace("reviewed"), encoders, CHANGES[name])

    batch = hilt.cycle(workspace)

    assert len(batch)
    assert "from another configuration" in said(workspace)
    assert_nothing_is_outdated(workspace)


@pytest.mark.parametrize("name", ["other dimension", "prompt", "a proposer's setting"])
def test_training_anew_learns_from_the_present_vectors(
    small_workspace: Open, encoders: dict[str, str], name: str
) -> None:
    workspace = change(small_workspace("trained"), encoders, CHANGES[name])

    result = hilt.train(workspace)

    assert (result.cycle, result.new) == (2, True)
    assert read_outdated(LoopState.read(workspace))[1] is None
    student = read_student(workspace.student_folder(2), "cpu")
    assert hilt.load_student(workspace).kind == student.student.kind


@pytest.mark.parametrize(
    "name", ["other dimension", "same dimension", "description prompt", "a description"]
)
def test_proposals_are_made_anew_without_a_student_of_another_embedder(
    small_workspace: Open, encoders: dict[str, str], name: str
) -> None:
    workspace = change(small_workspace("trained"), encoders, CHANGES[name])

    hilt.propose(workspace)

    fused = workspace.fused.maker() or {}
    learnt_otherwise = "embedder" in CHANGES[name]
    assert ("was trained on other vectors" in said(workspace)) == learnt_otherwise
    assert (fused["student"] is None) == learnt_otherwise
    found = workspace.embeddings.open().astype(np.float32)
    assert found == pytest.approx(fresh_embeddings(workspace), abs=0.02)
    assert next_step(LoopState.read(workspace)).words[0] == "cycle"


@pytest.mark.parametrize(
    ("use", "name"),
    [
        *(("select", name) for name in CHANGES),
        *(("release", name) for name in ("other dimension", "same dimension", "a description")),
    ],
)
def test_whoever_needs_it_makes_anew_what_is_cheap_and_says_so(
    small_workspace: Open, encoders: dict[str, str], tmp_path: Path, use: str, name: str
) -> None:
    workspace = change(small_workspace("two_cycles"), encoders, CHANGES[name])

    if use == "select":
        assert len(hilt.select(workspace, new=True))
    else:
        assert hilt.release(workspace, tmp_path / "out").student is not None

    assert re.search(WHY[name], said(workspace))
    assert hilt.status(workspace).cycle == 2 + (name in FOR_STUDENTS)
    assert_nothing_is_outdated(workspace)


def test_settings_of_the_student_have_it_trained_anew(
    small_workspace: Open, encoders: dict[str, str]
) -> None:
    changes = {"student": {"kind": "linear", "self_training": {"rounds": 0}}}
    workspace = change(small_workspace("two_cycles"), encoders, changes)

    hilt.select(workspace, new=True)

    assert "student.kind was 'auto' and is 'linear', student.self_training.rounds" in said(
        workspace
    )
    assert hilt.status(workspace).cycle == 3
    assert_nothing_is_outdated(workspace)


def test_a_student_that_took_long_is_trained_anew_only_when_asked(
    small_workspace: Open, encoders: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "MAX_SECONDS", 0.0)
    workspace = change(small_workspace("two_cycles"), encoders, {"student": {"kind": "linear"}})

    with pytest.raises(
        WorkspaceError, match=r"not trained again without your request: run `hilt train "
    ):
        hilt.select(workspace, new=True)

    assert hilt.train(workspace).new
    assert len(hilt.select(workspace, new=True))


@pytest.mark.parametrize("name", ["same dimension", "max_tokens", "description prompt"])
def test_a_student_of_another_configuration_predicts_only_when_it_is_named(
    small_workspace: Open, encoders: dict[str, str], tmp_path: Path, name: str
) -> None:
    workspace = change(small_workspace("trained"), encoders, CHANGES[name])
    (tmp_path / "new.csv").write_text("text\nA cat slept.\n", encoding="utf-8")

    with pytest.raises(WorkspaceError, match=WHY[name] + r".*use it unchanged: .*cycle-0001"):
        hilt.predict(workspace, tmp_path / "new.csv", tmp_path / "said.csv")
    result = hilt.predict(workspace.student_folder(1), tmp_path / "new.csv", tmp_path / "said.csv")

    assert result.items == 1


def test_near_duplicates_follow_their_thresholds(
    small_workspace: Open, encoders: dict[str, str]
) -> None:
    changes = {"duplicates": {"cosine": 0.5, "overlap": 0.1}}
    workspace = change(small_workspace("two_cycles"), encoders, changes)
    assert hilt.status(workspace).outdated == (
        "The near-duplicates are from another configuration: duplicates.cosine was 0.9 and is 0.5.",
    )
    assert not workspace.has_near_duplicates

    hilt.select(workspace, new=True)

    assert "duplicates.cosine was 0.9 and is 0.5. They are made again now." in said(workspace)
    assert workspace.has_near_duplicates
    assert_nothing_is_outdated(workspace)


def test_near_duplicates_are_not_described_by_embeddings_of_another_encoder(
    small_workspace: Open, encoders: dict[str, str]
) -> None:
    workspace = change(small_workspace("proposed"), encoders, CHANGES["max_tokens"])

    with pytest.raises(WorkspaceError, match=r"max_tokens was 256 and is 8; run `hilt propose "):
        hilt.duplicates(workspace)


def test_what_was_changed_back_is_current_again(
    small_workspace: Open, encoders: dict[str, str]
) -> None:
    workspace = small_workspace("two_cycles")
    before = workspace.config.model_dump(mode="json")["embedder"]
    hilt.propose(change(workspace, encoders, {"embedder": {"max_tokens": 8}}))

    back = change(workspace, encoders, {"embedder": {"model": before["model"]}})
    hilt.propose(back)

    assert_nothing_is_outdated(back)
    assert (back.fused.maker() or {})["student"] is not None


@pytest.mark.parametrize(
    "changes",
    [{"embedder": {"batch_tokens": 512}}, {"embedder": {"max_tokens": 9999}}, {"device": "cpu"}],
)
def test_what_changes_no_vector_makes_nothing_outdated(
    small_workspace: Open, encoders: dict[str, str], changes: dict[str, Any]
) -> None:
    workspace = change(small_workspace("two_cycles"), encoders, changes)
    hilt.propose(workspace)

    assert say_outdated(read_outdated(LoopState.read(workspace))) == ()
    assert said(workspace) == ""
    assert hilt.train(workspace).new is False


def test_looking_whether_anything_changed_opens_no_model(
    small_workspace: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = small_workspace("two_cycles")
    hilt.propose(workspace)

    def refuse(*_: object) -> None:
        raise AssertionError("a model was opened")

    monkeypatch.setattr("hilt.proposers.models.sentence_embedder._open", refuse)

    assert read_outdated(LoopState.read(workspace)) == ([], None)


def test_an_encoder_that_is_gone_stops_nobody_who_does_not_need_it(
    small_workspace: Open, encoders: dict[str, str], tmp_path: Path
) -> None:
    moved = tmp_path / "encoder"
    shutil.copytree(encoders["same"], moved)
    workspace = change(small_workspace("reviewed"), encoders, {"embedder": {"model": str(moved)}})
    hilt.cycle(workspace)
    shutil.rmtree(moved)

    assert hilt.status(workspace).outdated == ()
    assert render_report(LoopState.read(workspace), workspace.database.trainings()[0].created_at)
    assert len(hilt.select(workspace, new=True))


def test_what_takes_long_is_only_made_anew_when_asked(
    small_workspace: Open, encoders: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "MAX_SECONDS", 0.0)
    workspace = change(small_workspace("reviewed"), encoders, CHANGES["max_tokens"])
    before = workspace.embeddings.path.read_bytes()

    for use in (hilt.propose, hilt.train, hilt.cycle, lambda work: hilt.select(work, new=True)):
        with pytest.raises(WorkspaceError, match=r"max_tokens was 256 and is 8.*--remake`, or"):
            use(workspace)
    assert workspace.embeddings.path.read_bytes() == before

    result = CliRunner().invoke(app, ["propose", str(workspace.folder), "--remake"])

    assert result.exit_code == 0, result.stderr
    assert_nothing_is_outdated(workspace)


def test_proposers_that_read_no_embeddings_are_not_asked_again(
    small_workspace: Open, encoders: dict[str, str]
) -> None:
    rules = {"kind": "rules", "rules": [{"label": "food", "keywords": ["soup"]}]}
    proposers = {"proposers": [{"kind": "zero_shot"}, rules]}
    workspace = change(small_workspace("proposed"), encoders, proposers)
    assert "rules" in hilt.propose(workspace).made

    other = change(workspace, encoders, CHANGES["same dimension"])

    assert "rules" not in hilt.propose(other).made


def test_new_labels_make_nothing_outdated(small_workspace: Open, encoders: dict[str, str]) -> None:
    proposers = {"proposers": [{"kind": "zero_shot"}, {"kind": "neighbours"}]}
    workspace = change(small_workspace("proposed"), encoders, proposers)
    hilt.propose(workspace)
    simulate(workspace, hilt.select(workspace))

    assert read_outdated(LoopState.read(workspace)) == ([], None)
    hilt.cycle(workspace)
    assert read_outdated(LoopState.read(workspace)) == ([], None)


def write_pool(folder: Path) -> Path:
    """Three hundred short texts of three labels that share many words."""
    rng = np.random.default_rng(0)
    words = {
        "animals": "cat dog horse cow lion eagle whale spider rabbit tiger",
        "food": "soup bread pasta cheese apple curry salad cake rice pizza",
        "sport": "football tennis rowing boxing hockey cycling rugby golf chess judo",
    }
    common = ["the", "a", "in", "on", "about", "again", "today", "yesterday", "my", "your", "new"]
    with (folder / "pool.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("id", "text", "label"))
        for place in range(300):
            label = list(words)[place % 3]
            said = [rng.choice(words[label].split()), *rng.choice(common, 6)]
            table.writerow((f"i{place}", " ".join(rng.permutation(said)), label))
    return folder / "pool.csv"


def test_after_another_encoder_a_cycle_predicts_as_a_fresh_workspace_does(
    tmp_path: Path, encoders: dict[str, str]
) -> None:
    columns = {"path": str(write_pool(tmp_path)), "id": "id", "label": "label"}
    values = {
        "pool": columns,
        "labels": ["animals", "food", "sport"],
        "batch": {"size": 20},
        "duplicates": {"near": False},
        "student": {"kind": "linear"},
    }
    accuracies = []
    for name, later in {"changed": True, "fresh": False}.items():
        first = {} if later else {"embedder": {"model": encoders["same"]}}
        (tmp_path / "c.yaml").write_text(yaml.safe_dump(values | first), "utf-8")
        workspace = init(tmp_path / name, tmp_path / "c.yaml")
        hilt.propose(workspace)
        simulate(workspace, hilt.select(workspace))
        simulate(workspace, hilt.cycle(workspace))
        if later:
            workspace = change(workspace, encoders, {"embedder": {"model": "same"}})
        hilt.cycle(workspace)
        student = hilt.load_student(workspace)
        truth = known_positions(workspace)
        rows = student.predict_proba(workspace.pool.texts(slice(None)))
        fused = workspace.fused.open().argmax(axis=1)
        accuracies.append([(rows.argmax(axis=1) == truth).mean(), (fused == truth).mean()])

    changed, fresh = np.array(accuracies)
    assert (changed > fresh - 0.05).all(), accuracies
    assert (fresh > 0.7).all()


# -- what costs money -------------------------------------------------------------------------


@pytest.fixture
def paid(small_workspace: Open, encoders: dict[str, str], start_server: StartServer) -> Paid:
    """A workspace with an endpoint that answered about six items, and its server."""
    server = start_server(answers={"": ["sport"]})
    section = {"kind": "endpoint", "url": server.url, "model": "small", "max_items": 6}
    workspace = change(
        small_workspace("reviewed"), encoders, {"proposers": [{"kind": "zero_shot"}, section]}
    )
    hilt.propose(workspace)
    assert len(server.seen()) == 6
    return workspace, server, section


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"instructions": "Sort these."}, r"instructions was 'Classify .*' and is 'Sort these\.'"),
        ({"model": "large"}, r"model was 'small' and is 'large'"),
    ],
)
def test_answers_that_were_paid_for_are_asked_for_again_only_when_told_to(
    paid: Paid, encoders: dict[str, str], settings: dict[str, Any], why: str
) -> None:
    workspace, server, section = paid
    workspace = change(
        workspace, encoders, {"proposers": [{"kind": "zero_shot"}, section | settings]}
    )
    before = workspace.proposal("endpoint").path.read_bytes()

    for use in (hilt.propose, hilt.train, hilt.cycle, lambda work: hilt.select(work, new=True)):
        with pytest.raises(
            WorkspaceError, match=why + r".*costs money\. About \d+ requests.*--remak"
        ):
            use(workspace)
    assert len(server.seen()) == 6
    assert workspace.proposal("endpoint").path.read_bytes() == before

    hilt.propose(workspace, remake=True)
    hilt.cycle(workspace)

    assert len(server.seen()) == 12
    assert_nothing_is_outdated(workspace)


@pytest.mark.parametrize(
    ("first", "then", "asked"),
    [
        ({"max_items": 6}, {"max_items": 9}, 9),
        ({"max_items": 6}, {"max_items": 4}, 6),
        ({"max_cost_usd": 1e-9}, {"max_cost_usd": 100}, 6),
        ({"max_cost_usd": 100}, {"max_cost_usd": None}, 6),
    ],
)
def test_raising_a_limit_is_asking_for_more(
    small_workspace: Open,
    encoders: dict[str, str],
    start_server: StartServer,
    first: dict[str, Any],
    then: dict[str, Any],
    asked: int,
) -> None:
    server = start_server(answers={"": ["sport"]})
    section: dict[str, Any] = {"kind": "endpoint", "url": server.url, "model": "small"}
    section |= {"max_items": 6, "usd_per_million_input_tokens": 10}
    limits = [{"proposers": [{"kind": "zero_shot"}, section | each]} for each in (first, then)]
    workspace = change(small_workspace("proposed"), encoders, limits[0])
    hilt.propose(workspace)

    hilt.propose(change(workspace, encoders, limits[1]))

    assert len(server.seen()) == asked


def test_what_follows_from_the_answers_that_are_there_costs_nothing(
    paid: Paid, encoders: dict[str, str]
) -> None:
    workspace, server, section = paid
    proposers = [{"kind": "zero_shot"}, section | {"confidence": 0.8, "retries": 2}]

    hilt.cycle(change(workspace, encoders, {"proposers": proposers}))

    rows = np.asarray(workspace.proposal("endpoint").open(), dtype=np.float32)
    assert np.nanmax(rows) == pytest.approx(0.8, abs=0.01)
    assert len(server.seen()) == 6


def test_another_embedder_asks_no_endpoint_again(paid: Paid, encoders: dict[str, str]) -> None:
    workspace, server, _ = paid
    other = change(workspace, encoders, CHANGES["other dimension"])

    hilt.cycle(other)

    assert len(server.seen()) == 6
    assert_nothing_is_outdated(other)


def test_a_description_that_the_endpoint_reads_is_asked_about_only_when_told_to(
    paid: Paid, encoders: dict[str, str]
) -> None:
    workspace, server, _ = paid
    other = change(workspace, encoders, CHANGES["a description"])

    with pytest.raises(WorkspaceError, match=WHY["a description"] + r".*costs money"):
        hilt.cycle(other)

    assert len(server.seen()) == 6


def test_an_endpoint_that_is_new_in_the_configuration_is_first_asked_by_propose(
    small_workspace: Open, encoders: dict[str, str], start_server: StartServer
) -> None:
    server = start_server(answers={"": ["sport"]})
    section = {"kind": "endpoint", "url": server.url, "model": "small", "max_items": 6}
    changes = {"proposers": [{"kind": "zero_shot"}, section]}
    workspace = change(small_workspace("reviewed"), encoders, changes)

    for use in (hilt.train, lambda work: hilt.select(work, new=True)):
        with pytest.raises(WorkspaceError, match=r"no endpoint yet; run `hilt propose "):
            use(workspace)

    assert server.seen() == []


def test_a_setting_of_several_values_is_not_outdated_once_it_is_used(
    small_workspace: Open, encoders: dict[str, str]
) -> None:
    rules = [{"kind": "rules", "rules": [{"label": "animals", "keywords": ["dog", "cat"]}]}]
    workspace = change(small_workspace("reviewed"), encoders, {"proposers": rules})

    hilt.propose(workspace)

    assert read_outdated(LoopState.read(workspace)) == ([], None)
