"""The command that is printed as the next one is never refused, wherever a project stands."""

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing import serving as review_screen
from hilt.pipeline.reviewing.answer_files import record, simulate
from hilt.pipeline.reviewing.next_steps import Situation, decide, next_step
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.types import Decision
from tests.one_label import known_labels

Call = Callable[..., tuple[int, str, str]]
Run = Callable[..., str]

HARD_NAME = "my work's $HOME; x"


def words_of(line: str) -> list[str]:
    """Read a printed command as bash does, without the program's name."""
    script = f"hilt() {{ printf '%s\\0' \"$@\"; }}; {line}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


def next_of(said: str) -> list[str] | None:
    """Find the command that a command printed as the next one."""
    found = re.findall(r"^Next: (.*)$", said, re.MULTILINE)
    assert len(found) <= 1
    return words_of(found[0]) if found else None


@pytest.fixture
def run(call: Call) -> Run:
    """Runs a command that must not be refused, and gives what it said."""

    def run_command(*arguments: object) -> str:
        code, out, err = call(*arguments)
        assert code == 0, (arguments, out, err)
        return out

    return run_command


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts in place of the server one that answers the open batch, and is ended by Ctrl+C."""

    def serve(desk: object, host: str, port: int, listening: Callable[[str], None]) -> None:
        listening("http://127.0.0.1:1/")
        workspace: Workspace = desk._workspace  # type: ignore[attr-defined]
        current = LoopState.read(workspace).open_batch
        assert current is not None
        simulate(workspace, current)
        raise KeyboardInterrupt

    monkeypatch.setattr(review_screen, "serve", serve)


def configure(folder: Path, **changes: object) -> None:
    """Make the loop of a workspace turn quickly."""
    path = folder / "hilt.yaml"
    values = yaml.safe_load(path.read_text("utf-8"))
    values |= {"student": {"effort": "quick"}, "batch": {"size": 30, "audit": 0.1}, **changes}
    path.write_text(yaml.safe_dump(values), "utf-8")


@pytest.fixture
def work(stages: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """Copies a small workspace at a stage to a folder whose name is hard on a shell."""

    def copy(stage: str) -> Path:
        folder = shutil.copytree(stages[stage], tmp_path / HARD_NAME)
        configure(folder)
        return folder

    return copy


def test_following_what_is_printed_leads_from_a_pool_to_a_release(
    call: Call, run: Run, work: Callable[[str], Path], answering: None
) -> None:
    folder = work("ready")
    taken: list[str] = []
    step = next_of(run("status", folder))

    while step is not None and len(taken) < 12:
        taken.append(step[0])
        arguments = [*step, "--no-browser"] if step[0] == "review" else step
        said = run(*arguments)
        step = next_of(said)
        if taken[-1] != "release":
            assert step == next_of(run("status", folder))

    assert re.fullmatch("propose select (review cycle ){2,3}release", " ".join(taken))
    assert (folder.parent / f"{HARD_NAME}-release" / "dataset.csv").exists()
    assert next_of(run("status", folder)) == ["report", str(folder)]


def test_following_export_and_import_leads_through_a_half_answered_sheet(
    run: Run, work: Callable[[str], Path]
) -> None:
    folder = work("selected")
    sheet = folder.parent / "the 'sheet'.csv"
    again = next_of(run("export", folder, sheet, "--simulated"))
    assert again == ["import", str(folder), str(sheet)]
    rows = list(csv.DictReader(io.StringIO(sheet.read_text("utf-8"))))

    def save(changed: list[dict[str, str]]) -> None:
        with sheet.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(changed)

    empty = {"label": "", "action": ""}
    save([rows[0], *(row | empty for row in rows[1:])])
    assert next_of(run(*again)) == again
    save([*rows[:-1], rows[-1] | {"label": "no such label", "action": "label"}])
    partial = next_of(run(*again, "--partial"))
    assert partial == [*again, "--partial"]
    assert next_of(run(*partial)) == partial
    save(rows)
    assert next_of(run(*partial)) == ["cycle", str(folder)]


def test_following_a_dry_run_of_the_oracle(run: Run, work: Callable[[str], Path]) -> None:
    folder = work("selected")
    step = next_of(run("oracle", folder, "--dry-run", "--least", "0.5"))
    assert step is not None

    assert step[0] == "oracle"
    assert next_of(run(*step)) == ["review", str(folder)]


def skip_all(workspace: Workspace) -> None:
    current = LoopState.read(workspace).open_batch
    assert current is not None
    record(workspace, [Decision(item.item_id, "skip", (), "ann") for item in current.items])


def test_after_a_batch_of_skips_alone_another_is_selected(
    run: Run, work: Callable[[str], Path]
) -> None:
    folder = work("selected")
    skip_all(open_workspace(folder))

    step = next_of(run("status", folder))

    assert step == ["select", str(folder)]
    assert next_of(run(*step)) == ["review", str(folder)]


def test_a_pool_of_which_everything_was_skipped_leads_to_the_report(
    run: Run, work: Callable[[str], Path]
) -> None:
    folder = work("selected")
    workspace = open_workspace(folder)
    while len(select(workspace, 60)):
        skip_all(workspace)

    said = run("status", folder)

    assert "no person gave a label" in said
    step = next_of(said)
    assert step == ["report", str(folder)]
    run(*step)


def test_labels_of_one_kind_alone_can_be_learnt(run: Run, work: Callable[[str], Path]) -> None:
    folder = work("selected")
    workspace = open_workspace(folder)
    record(
        workspace, [Decision(i.item_id, "label", ("food",), "a") for i in select(workspace).items]
    )

    step = next_of(run("status", folder))

    assert step == ["cycle", str(folder)]
    run(*step)


def test_labels_that_were_known_before_any_batch_are_learnt_next(
    run: Run, work: Callable[[str], Path]
) -> None:
    folder = work("proposed")
    (folder.parent / "known.csv").write_text("id,label\ncat-0,animals\nsoup-0,food\n")

    step = next_of(run("import", folder, folder.parent / "known.csv"))

    assert step == ["cycle", str(folder)]
    assert next_of(run(*step)) == ["review", str(folder)]


@pytest.fixture
def finished(work: Callable[[str], Path]) -> Path:
    """A workspace in which all but the last training is done."""
    folder = work("trained")
    workspace = open_workspace(folder)
    while len(batch := select(workspace, 60)):
        simulate(workspace, batch)
    return folder


def test_having_finished_is_no_error(run: Run, finished: Path) -> None:
    first = json.loads(run("cycle", finished, "--json"))
    second = run("cycle", finished)
    third = run("select", finished)
    status = json.loads(run("status", finished, "--json"))

    assert (first["batch"], first["items"], first["finished"]) == (0, [], True)
    assert first["training"]["human_labels"] == 60
    assert words_of(first["next_step"])[0] == "release"
    for said in (second, third):
        assert "Nothing is left to ask: every item, or a near-duplicate of it, is decided." in said
        assert "Everything is labelled." in said
        assert (next_of(said) or [""])[0] == "release"
    assert status["finished"]
    assert status["next_step"] == first["next_step"]


def test_a_finished_project_on_which_people_disagree_is_reviewed_first(
    run: Run, finished: Path
) -> None:
    workspace = open_workspace(finished)
    record(workspace, [Decision("cat-0", "label", ("food",), "bo")])
    run("cycle", finished)

    said = run("status", finished)

    assert "people disagree on 1 item" in said
    assert next_of(said) == ["review", str(finished)]
    assert next_of(run("agreement", finished)) == ["review", str(finished)]


def test_a_refusal_names_a_command_that_is_not_refused(
    call: Call, run: Run, finished: Path
) -> None:
    code, _, err = call("export", finished, finished.parent / "b.csv")
    line = re.findall(r"`(hilt .*?)`", err)[0]

    assert code == 2
    assert words_of(line) == ["cycle", str(finished)]
    run(*words_of(line))


@pytest.mark.parametrize("texts", [["only one"], ["the very same words"] * 30])
def test_the_smallest_pools_come_to_an_end(
    run: Run, tmp_path: Path, answering: None, texts: list[str]
) -> None:
    lines = ["id,text,label", *(f"{number},{text},a" for number, text in enumerate(texts))]
    (tmp_path / "pool.csv").write_text("\n".join(lines), "utf-8")
    pool = {"path": "pool.csv", "id": "id", "label": "label"}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"pool": pool, "labels": ["a", "b"]}), "utf-8")
    step: list[str] | None = ["init", str(tmp_path / "work"), "-c", str(tmp_path / "c.yaml")]
    taken: list[str] = []

    while step is not None and len(taken) < 15:
        taken.append(step[0])
        step = next_of(run(*step, *(["--no-browser"] if step[0] == "review" else [])))

    assert taken[:4] == ["init", "propose", "select", "review"]
    assert taken[-1] == "release"
    assert next_of(run("status", tmp_path / "work")) == ["report", str(tmp_path / "work")]
    run("report", tmp_path / "work")


@pytest.mark.parametrize("command", ["predict", "onnx", "train", "cycle"])
@pytest.mark.parametrize(("stage", "named"), [("ready", "propose"), ("proposed", "select")])
def test_a_command_that_comes_too_early_names_the_one_that_comes_first(
    call: Call, run: Run, work: Callable[[str], Path], command: str, stage: str, named: str
) -> None:
    folder = work(stage)
    extra = {"predict": ("new.csv",), "onnx": (str(folder.parent / "onnx"),)}
    code, _, err = call(command, folder, *extra.get(command, ()))
    line = re.findall(r"`(hilt .*?)`", err)[0]

    assert code == 2
    assert words_of(line) == [named, str(folder)]


def test_what_is_kept_for_the_audit_is_asked_in_the_end(
    work: Callable[[str], Path],
) -> None:
    folder = work("proposed")
    configure(folder, batch={"size": 1, "audit": 0.3})
    workspace = open_workspace(folder)
    truth = known_labels(workspace)
    kept = {item.item_id for item in select(workspace, 60).items if item.reason == "audit"}
    record(workspace, [Decision(i, "label", (truth[i],), "a") for i in truth if i not in kept])

    last = select(workspace, 1, new=True)

    assert [(item.item_id in kept, item.reason) for item in last.items] == [(True, "audit")]


def test_an_extending_batch_says_what_still_waits(work: Callable[[str], Path]) -> None:
    workspace = open_workspace(work("proposed"))
    while len(beside := select(workspace, 60, extend=True)):
        pass

    assert (len(beside), beside.number) == (0, 0)
    assert "waits in an open batch" in beside.note
    assert next_step(LoopState.read(workspace)).words[0] == "review"


@pytest.mark.parametrize(
    ("situation", "command"),
    [
        (Situation(False, 0, 0, True, False, 0), "propose"),
        (Situation(True, 3, 0, True, False, 0), "review"),
        (Situation(True, 3, 9, True, False, 0, outdated="The rule changed."), "review"),
        (Situation(True, 0, 9, True, False, 0, outdated="The rule changed."), "propose"),
        (Situation(True, 0, 0, True, False, 0), "select"),
        (Situation(True, 0, 9, True, True, 2), "cycle"),
        (Situation(True, 0, 9, False, False, 2), "cycle"),
        (Situation(True, 0, 9, False, True, 2), "review"),
        (Situation(True, 0, 9, False, True, 0), "release"),
        (Situation(True, 0, 0, False, False, 0), "report"),
    ],
)
def test_the_situation_decides(situation: Situation, command: str) -> None:
    assert decide(Path("work"), situation).words[0] == command


@pytest.mark.parametrize("name", ["work", ".", "a/..", "deep/work"])
def test_a_release_goes_beside_the_workspace_and_never_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "here/deep/work").mkdir(parents=True)
    (tmp_path / "here/a").mkdir()
    (tmp_path / "here/work-release").mkdir()
    (tmp_path / "here/work-release/of.mine").touch()
    monkeypatch.chdir(tmp_path / "here")

    released = decide(Path(name), Situation(True, 0, 9, False, True, 0)).words[2]

    assert isinstance(released, Path)
    assert not released.exists()
    assert released.resolve().parent == Path(name).resolve().parent
