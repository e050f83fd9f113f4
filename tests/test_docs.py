"""The configurations and the Python in docs/proposers, checked and run as they stand there."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from hilt.pipeline.cli import app
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.review import Review
from hilt.proposers.base import Context
from hilt.proposers.models.sentence_embedder import SentenceEmbedder
from hilt.proposers.rules import Rules
from hilt.selectors.base import SELECTORS

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = sorted((DOCS / "proposers").glob("*.md"))
FILLED = {"pool": {"path": "pool.csv"}, "labels": ["billing", "shipping", "complaint"]}


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.S | re.M)


def _all_blocks(language: str) -> list[object]:
    return [
        pytest.param(block, id=f"{page.stem}-{number}")
        for page in PAGES
        for number, block in enumerate(_blocks(page, language))
    ]


@pytest.fixture(autouse=True)
def _modules_of_the_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python whose first line is `# name.py`, in files that can be imported."""
    for page in PAGES:
        for block in _blocks(page, "python"):
            for name in re.findall(r"\A# (\w+\.py)$", block, re.M):
                (tmp_path / name).write_text(block, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize("block", _all_blocks("yaml"))
def test_a_configuration_can_be_used(block: str) -> None:
    config = Config.model_validate({**FILLED, **yaml.safe_load(block)})

    assert config.proposers


@pytest.mark.parametrize("block", _all_blocks("python"))
def test_python_runs(block: str) -> None:
    Path("shown.py").write_text(block, encoding="utf-8")

    runpy.run_path("shown.py")


def test_the_rules_that_are_shown_do_what_the_page_says() -> None:
    page = next(page for page in PAGES if page.stem == "rules")
    config = Config.model_validate({**FILLED, **yaml.safe_load(_blocks(page, "yaml")[0])})
    settings = config.proposers[1].model_dump(include={"rules"})

    votes = Rules(Context(config.label_list, SentenceEmbedder()), **settings).votes(
        ["Credit\nCARD", "two credit cards", "Track  number?", "WHERE IS ALL MY MONEY?"]
    )

    assert votes.tolist() == [[0, -1, -1], [-1, -1, -1], [-1, 1, -1], [-1, -1, 2]]


def test_the_page_on_scaling_shows_a_runner_that_can_be_used() -> None:
    text = (DOCS / "scaling.md").read_text("utf-8")
    [block] = _blocks(DOCS / "scaling.md", "yaml")
    config = Config.model_validate({**FILLED, **yaml.safe_load(block)})
    named = set(re.findall(r"`(retries|gpus|threads|workers)\b", text))

    assert config.runner.kind == "ray"
    assert named <= set(type(config.runner).model_fields)


def test_the_page_on_reviewing_shows_what_there_is() -> None:
    page = DOCS / "review.md"
    text = page.read_text("utf-8")
    guidelines = yaml.safe_load(_blocks(page, "yaml")[0])
    commands = re.findall(r"^hilt (.+)$", "\n".join(_blocks(page, "sh")), re.M)
    options = set(re.findall(r"`review\.(\w+)", text))

    Config.model_validate({**FILLED, **guidelines})
    assert len(commands) == 4
    for command in commands:
        words = shlex.split(command)
        assert CliRunner().invoke(app, [*words[: words.index("work")], "--help"]).exit_code == 0
    assert options <= set(Review.model_fields)
    assert all((DOCS / name).exists() for name in re.findall(r"\((screens/\S+)\)", text))


def test_the_page_on_selectors_names_every_one_and_tests_that_exist() -> None:
    page = DOCS / "selectors.md"
    text = page.read_text("utf-8")
    tests = "".join(
        path.read_text("utf-8") for path in (DOCS.parent / "tests" / "selectors").glob("*.py")
    )

    Config.model_validate({**FILLED, **yaml.safe_load(_blocks(page, "yaml")[0])})
    assert [kind for kind in SELECTORS.names() if f"| `{kind}` |" not in text] == []
    assert [name for name in re.findall(r"`(test_\w+)`", text) if f"def {name}(" not in tests] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_has_a_title_and_a_configuration(page: Path) -> None:
    assert any("proposers:" in block for block in _blocks(page, "yaml"))
    assert page.read_text("utf-8").startswith("# ")
