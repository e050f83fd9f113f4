"""What a configuration may say of the medium and of the columns that it reads."""

import pytest

from hilt.errors import ConfigError
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.reading import parse_config

PAIRS = (
    "medium: {kind: 'tests.media.test_own:Pairs'}\n"
    "embedder: {kind: 'tests.media.test_own:Embedder'}\n"
    "labels: [a, b]\n"
)


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.yaml")
    return str(caught.value)


def read(text: str) -> Config:
    return parse_config(text, "c.yaml")


def test_text_is_the_default_and_a_name_is_enough() -> None:
    least = "pool: {path: p.csv}\nlabels: [a, b]\n"

    assert read(least).medium == read(least + "medium: text\n").medium
    assert read(least).medium.make().columns == ("text",)


def test_a_class_of_ones_own_names_its_columns() -> None:
    config = read(PAIRS + "pool: {path: p.csv, columns: {left: first}}\n")

    assert config.medium.make().columns == ("left", "right")
    assert [config.pool.column_of(name) for name in ("left", "right")] == ["first", "right"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PAIRS + "pool: {path: p.csv, text: body}\n", "line 4: pool.text: the medium"),
        (
            PAIRS + "pool:\n  path: p.csv\n  columns:\n    lft: x\n",
            "line 7: pool.columns: the medium 'tests.media.test_own:Pairs' has no column 'lft'. Did"
            " you mean: left? It has: left, right.",
        ),
        (
            PAIRS + "pool: {path: p.csv}\ntest:\n  path: t.csv\n  columns: {text: x}\n",
            "line 7: test.columns: ",
        ),
        ("medium: txt\npool: {path: p.csv}\nlabels: [a, b]\n", "Unknown medium 'txt'. Did you"),
        (
            "medium: {kind: text, settings: {a: 1}}\npool: {path: p.csv}\nlabels: [a, b]\n",
            "line 1: the medium 'text' has no settings; take them out",
        ),
        (
            "medium:\n  kind: 'tests.media.test_own:Pairs'\n  settings:\n    a: 1\n"
            "pool: {path: p.csv}\nlabels: [a, b]\n",
            "line 4: tests.media.test_own:Pairs has no setting 'a'. It takes none.",
        ),
        (
            "medium:\n  kind: 'tests.media.test_own:Says'\n  settings: {columns: [id]}\n"
            "pool: {path: p.csv}\nlabels: [a, b]\n",
            "line 2: Medium 'tests.media.test_own:Says': its columns are id; each must",
        ),
    ],
)
def test_anything_else_is_refused_with_its_line(text: str, says: str) -> None:
    assert says in refusal(text)
