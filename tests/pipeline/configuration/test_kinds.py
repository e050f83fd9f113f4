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
# What reads a third party's class; the kinds of student are hilt's own.
OPEN = [place for place in PLACES if place != "student"]


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


@pytest.mark.parametrize("place", OPEN)
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


@pytest.mark.parametrize("place", OPEN)
def test_a_class_of_ones_own_is_found_without_importing_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    module = f"heavy_{place.replace('.', '_')}"
    (tmp_path / f"{module}.py").write_text(
        "raise RuntimeError('imported')\nclass Own:\n    pass\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    parse_config(LEAST + PLACES[place][0].format(f"'{module}:Own'"), "c.yaml")

    assert "has no 'Onw'. Did you mean: Own?" in refusal(
        LEAST + PLACES[place][0].format(f"'{module}:Onw'")
    )
    assert module not in sys.modules


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
