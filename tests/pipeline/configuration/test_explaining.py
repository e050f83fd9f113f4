import json
import re
from typing import Any

import pytest

from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.explaining import explain_config, list_options


def entry(key: str, kind: str | None = None) -> dict[str, Any]:
    [found] = [row for row in list_options() if (row["key"], row["kind"]) == (key, kind)]
    return found


def test_every_section_of_the_configuration_is_explained() -> None:
    tops = [line for line in explain_config().splitlines() if line and not line.startswith(" ")]

    assert tops == list(Config.model_fields)


def test_every_option_has_a_type_and_a_description() -> None:
    assert all(row["type"] and row["description"] for row in list_options())


@pytest.mark.parametrize(
    "words",
    [
        "a number above 0 and at most 1; default 0.95",
        "auto, cpu, cuda or mps; default auto",
        "kind: hybrid",
        "kind: random",
        "kind: package.module:Class",
        "The clusters are made from this many times",
        "at least 2 names, each with a line of text; required",
    ],
)
def test_the_explanation_tells_types_ranges_defaults_and_kinds(words: str) -> None:
    assert words in explain_config()


def test_the_explanation_fits_a_terminal() -> None:
    assert max(map(len, explain_config().splitlines())) <= 100


def test_the_list_survives_json() -> None:
    assert json.loads(json.dumps(list_options())) == list_options()


def test_a_plain_option_is_listed_with_its_default() -> None:
    assert entry("batch.size") == {
        "key": "batch.size",
        "kind": None,
        "type": "a whole number at least 1",
        "required": False,
        "default": 25,
        "description": "Items in a batch, the audit slice included.",
    }


def test_a_required_option_has_no_default() -> None:
    assert entry("pool.path")["required"]
    assert entry("pool.path")["default"] is None


def test_options_of_a_kind_say_whose_they_are() -> None:
    assert entry("selector.shortlist", "hybrid")["default"] == 10
    assert entry("proposers[].temperature", "zero_shot")["default"] == 0.05


def test_the_default_of_a_choice_is_written_as_in_a_file() -> None:
    assert entry("selector")["default"] == {"kind": "auto"}


def test_no_option_is_listed_twice() -> None:
    keys = [(row["key"], row["kind"]) for row in list_options()]

    assert len(keys) == len(set(keys))


def test_a_selector_inside_a_selector_is_not_explained_again() -> None:
    assert entry("selector.of", "balanced")["default"] == {"kind": "margin"}
    assert not [row for row in list_options() if row["key"].startswith("selector.of.")]


def test_a_list_is_called_a_list_in_text_and_json() -> None:
    rows = list_options()

    assert entry("proposers[].rules", "rules")["type"] == "a list of sections"
    repeated = {row["key"].split("[]")[0] for row in rows if "[]" in row["key"].split(".")[0]}
    assert all(entry(key)["type"].startswith("a list of") for key in repeated)
    assert "rules\n      [a list of sections; required]" in explain_config()


def test_nothing_is_explained_twice() -> None:
    blocks = re.findall(
        r"^ *(\w+)\n((?: +[^\n]+\n)+?)(?= *\w+\n|\n| *kind:|.*: as in)", explain_config(), re.M
    )
    told = [(name, " ".join(text.split())) for name, text in blocks]

    assert len(told) > 80
    assert sorted(set(told)) == sorted(told)


def test_what_was_explained_before_is_named_with_its_place() -> None:
    text = explain_config()

    assert "  path, text, columns, id, split, encoding, delimiter, quoting: as in pool\n" in text
    assert "    name, only, max_items: as in proposers of kind zero_shot\n" in text
    assert "as in student.contrastive\n" in text


def test_an_empty_default_is_said() -> None:
    text = explain_config()

    assert "[a list of text; empty by default]" in text
    assert "default ]" not in text
    assert "[true or false; default true]" in text
