"""A kind that is misspelt, or names a class that is not there, is found by `hilt config`."""

import subprocess
import sys
from pathlib import Path

import pytest

from hilt.errors import ConfigError
from hilt.pipeline.configuration.reading import load_config, parse_config

LEAST = "pool: {path: p.csv}\nlabels: [a, b]\n"
# Every place in which a kind may stand, with one that is right and one that is nearly so.
PLACES = {
    "embedder": ("embedder:\n  kind: {}\n", "sentence_transformers", "sentence_transformer"),
    "selector": ("selector:\n  kind: {}\n", "margin", "margn"),
    "selector.of": ("selector:\n  kind: balanced\n  of:\n    kind: {}\n", "margin", "margn"),
    "selector.of.of": (
        "selector:\n  kind: subsample\n  of:\n    kind: per_second\n    of: {{kind: {}}}\n",
        "badge",
        "bagde",
    ),
    "proposers": ("proposers:\n  - kind: zero_shot\n  - kind: {}\n", "neighbours", "neighbors"),
    "student": ("student:\n  kind: {}\n", "linear", "liner"),
}


def line_of(text: str, word: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if word in line)


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.yaml")
    return str(caught.value)


@pytest.mark.parametrize("place", PLACES)
def test_a_right_kind_is_taken(place: str) -> None:
    section, right, _ = PLACES[place]

    parse_config(LEAST + section.format(right), "c.yaml")


@pytest.mark.parametrize("place", PLACES)
def test_a_misspelt_kind_is_refused_with_its_line_and_the_nearest(place: str) -> None:
    section, right, wrong = PLACES[place]
    text = LEAST + section.format(wrong)

    said = refusal(text)

    assert f"c.yaml, line {line_of(text, wrong)}: " in said
    assert f"'{wrong}'" in said
    assert right in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("no_such_module:Thing", "there is no module 'no_such_module'"),
        ("json.no_such:Thing", "there is no module 'json.no_such'"),
        ("json.decoder:JSONDecodr", "has no 'JSONDecodr'. Did you mean: JSONDecoder?"),
        ("':Thing'", "is not of the form 'package.module:Class'"),
    ],
)
def test_a_class_that_is_not_there_is_refused(place: str, path: str, said: str) -> None:
    text = LEAST + PLACES[place][0].format(path)

    message = refusal(text)

    assert said in message
    assert f"c.yaml, line {line_of(text, path)}: " in message


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", ["[a]", "{a: b}", "7", "true", "''", "~"])
def test_a_kind_that_is_no_word_is_refused_with_what_is_allowed(place: str, value: str) -> None:
    section, right, _ = PLACES[place]

    said = refusal(LEAST + section.format(value))

    assert "c.yaml, line " in said
    assert right in said or "package.module:Class" in said or "allowed: text" in said


OWN = """
from typing import Annotated, Literal
from pydantic import Field

class Own:
    def __init__(self, *context, least: Annotated[int, Field(ge=1)], how: Literal["a", "b"] = "a",
                 device="", more=None):
        pass

    @classmethod
    def fit(cls, examples, device, seed, least: Annotated[int, Field(ge=1)],
            how: Literal["a", "b"] = "a", more=None):
        pass
"""
SETTINGS = {
    "proposers": "proposers:\n  - kind: 'own_thing:Own'\n    settings:\n{}",
    "selector": "selector:\n    kind: 'own_thing:Own'\n    settings:\n{}",
    "embedder": "embedder:\n    kind: 'own_thing:Own'\n    settings:\n{}",
    "student": "student:\n    kind: 'own_thing:Own'\n    settings:\n{}",
}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module with a class that could be anything."""
    (tmp_path / "own_thing.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_thing", raising=False)


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("place", SETTINGS)
def test_a_class_of_ones_own_takes_the_settings_that_it_names(place: str) -> None:
    parse_config(LEAST + SETTINGS[place].format("      least: 2\n      more: {x: [1]}\n"), "c.yaml")


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("place", SETTINGS)
@pytest.mark.parametrize(
    ("settings", "line", "said"),
    [
        ("      how: b\n      leest: 2\n", 7, "has no setting 'leest'. Did you mean: least?"),
        ("      how: b\n      least: many\n", 7, "the setting 'least' is 'many': input should"),
        ("      least: 0\n", 6, "the setting 'least' is 0: input should be greater than"),
        (
            "      least: 1\n      how: c\n",
            7,
            "the setting 'how' is 'c': input should be 'a' or 'b'",
        ),
        ("      how: b\n", 4, "needs the setting 'least'. It takes: least, how"),
    ],
)
def test_other_settings_are_refused_with_their_line(
    place: str, settings: str, line: int, said: str
) -> None:
    message = refusal(LEAST + SETTINGS[place].format(settings))

    assert "own_thing:Own" in message
    assert said in message
    # Of what is missing, the line is that of the kind or the section around it.
    assert any(f"c.yaml, line {each}: " in message for each in (line, *([5] if line == 4 else [])))
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("section", ["embedder", "student"])
def test_settings_of_what_hilt_brings_stand_in_its_section(section: str) -> None:
    said = refusal(LEAST + f"{section}:\n  settings: {{a: 1}}\n")

    assert f"`{section}.settings` is for a `kind` of your own; take it out" in said


def test_what_a_student_may_be_does_not_include_a_blend() -> None:
    assert "Unknown student 'blend'." in refusal(LEAST + "student: {kind: blend}\n")


def test_checking_every_built_in_kind_loads_no_heavy_library(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    kinds = "proposers: [{kind: zero_shot}, {kind: nli}, {kind: language_model}]\n"
    path.write_text(
        LEAST + kinds + "embedder: {kind: sentence_transformers}\nselector: {kind: badge}\n"
    )
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from hilt.pipeline.configuration.reading import load_config\n"
        "load_config(Path(sys.argv[1]))\n"
        "heavy = {'torch', 'faiss', 'transformers', 'sentence_transformers', 'sklearn'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
    load_config(path)
