import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hilt.errors import ConfigError
from hilt.pipeline.configuration.config import (
    BatchSection,
    Config,
    Duplicates,
    Simulation,
)
from hilt.pipeline.configuration.embedder import Embedder
from hilt.pipeline.configuration.options import options
from hilt.pipeline.configuration.reading import MAX_BYTES, load_config, parse_config
from hilt.pipeline.configuration.review import Review
from hilt.pipeline.configuration.section import Section
from hilt.pipeline.configuration.student import StudentSection
from hilt.selectors.base import SELECTORS

SELECTOR_KINDS = ", ".join(SELECTORS.names())
SMALLEST = "pool: {path: pool.csv}\nlabels: [cat, dog]\n"


def complaint(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "x.yaml")
    return str(caught.value)


def write(folder: Path, text: str) -> Path:
    path = folder / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_smallest_configuration_is_read_with_every_default() -> None:
    config = parse_config(SMALLEST, "x.yaml")

    assert config.label_names == ("cat", "dog")
    assert config.pool.path == "pool.csv"
    assert config.batch.size == 25


def test_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, SMALLEST + "test: {path: ../test.csv}\n"))

    assert config.pool.path == str(tmp_path.resolve() / "pool.csv")
    assert config.test is not None
    assert config.test.path == str(tmp_path.resolve().parent / "test.csv")


def test_a_path_that_is_relative_to_the_working_folder_is_resolved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, SMALLEST)
    monkeypatch.chdir(tmp_path)

    assert load_config(Path("x.yaml")).pool.path == str(tmp_path.resolve() / "pool.csv")


def test_a_linked_configuration_reads_the_data_beside_the_link(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    link = tmp_path / "here" / "linked.yaml"
    link.symlink_to(write(tmp_path, SMALLEST))

    assert load_config(link).pool.path == str(tmp_path.resolve() / "here" / "pool.csv")


def test_a_dataset_on_the_hub_is_no_path(tmp_path: Path) -> None:
    path = write(tmp_path, "pool: {path: 'hub:owner/name'}\nlabels: [cat, dog]\n")

    assert load_config(path).pool.path == "hub:owner/name"


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(SMALLEST, encoding="utf-8-sig")

    assert load_config(path).label_names == ("cat", "dog")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no configuration .*nowhere\.yaml\."):
        load_config(tmp_path / "nowhere.yaml")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder"):
        load_config(tmp_path)


def test_a_file_in_another_encoding_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"task: single\nlabels: [caf\xe9, bar]\n")

    with pytest.raises(ConfigError, match=r"line 2: not UTF-8"):
        load_config(path)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "null\n"])
def test_an_empty_file_is_told_what_it_needs(text: str) -> None:
    assert complaint(text) == "x.yaml is empty; it needs at least 'pool' and 'labels'."


@pytest.mark.parametrize("text", ["- a\n- b\n", "some words\n", "3\n"])
def test_a_file_that_is_not_a_mapping_is_refused(text: str) -> None:
    assert complaint(text).startswith("x.yaml is not a configuration")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b: c\n", "line 1: cannot be read as YAML: mapping values are not allowed here."),
        ("task: single\n\tseed: 1\n", "line 2: cannot be read as YAML: "),
        ("a: 1\n---\nb: 2\n", "line 2: cannot be read as YAML: expected a single document"),
        ("a: &x [1]\nb: *x\n", "line 2: cannot be read as YAML: aliases"),
        ("a: &x [*x]\n", "line 1: cannot be read as YAML: aliases"),
        ("a: !!python/name:os.system x\n", "line 1: cannot be read as YAML: tags"),
        ("? [a]\n: b\n", "line 1: cannot be read as YAML: a key must be a plain word."),
        ("a: 1\nb: \x00\n", "line 2: the character U+0000 is not allowed in YAML."),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_the_line(text: str, expected: str) -> None:
    message = complaint(text)

    assert message.startswith(f"x.yaml, {expected}")
    assert "\n" not in message


@pytest.mark.parametrize(
    "name", ["no", "yes", "on", "off", "null", "~", "true", "3", "007", "1.50", "1e3", "0x1f"]
)
def test_a_label_and_its_description_stay_as_written(name: str) -> None:
    config = parse_config(
        f"pool: {{path: a.csv}}\nlabels:\n  {name}: {name}\n  other: x\n", "x.yaml"
    )

    assert config.labels == {name: name, "other": "x"}


def test_a_list_of_labels_stays_as_written() -> None:
    config = parse_config("pool: {path: a.csv}\nlabels: [no, 1.50, 'a b', 2024-01-01]\n", "x.yaml")

    assert config.label_names == ("no", "1.50", "a b", "2024-01-01")


def test_a_label_without_a_description_is_described_by_its_name() -> None:
    config = parse_config("pool: {path: a.csv}\nlabels:\n  cat:\n  dog: a hound\n", "x.yaml")

    assert [label.description for label in config.label_list] == ["cat", "a hound"]


def test_numbers_are_read_as_people_write_them() -> None:
    config = parse_config(
        SMALLEST + "batch: {size: 010}\nstudent: {transformer: {learning_rate: 5e-5}}\n", "x.yaml"
    )

    assert config.batch.size == 10
    assert config.student.transformer.learning_rate == 5e-5


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "selector:\n  kind: hybrid\n  shortlst: 3",
            "line 5: unknown key 'selector.shortlst'. Did you mean: shortlist?"
            " Allowed: kind, shortlist.",
        ),
        ("batch: {size: 0}", "line 3: 'batch.size' is 0; allowed: a whole number at least 1."),
        ("batch: {size: 1.5}", "line 3: 'batch.size' is 1.5; allowed: a whole number at least 1."),
        (
            "batch:\n  audit: yes",
            "line 4: 'batch.audit' is 'yes'; allowed: a number at least 0 and at most 1.",
        ),
        ("device: gpu", "line 3: 'device' is 'gpu'; allowed: auto, cpu, cuda or mps."),
        ("device:", "line 3: 'device' is empty; allowed: auto, cpu, cuda or mps."),
        (
            "batch: 3",
            "line 3: 'batch' is 3; allowed: a section with size, minutes, audit, recheck,"
            " near_duplicate, candidates.",
        ),
        (
            "embedder: {revision: 123}",
            "line 3: 'embedder.revision' is 123; allowed: text. Put it in quotes.",
        ),
        (
            "selector: hybrid",
            "line 3: 'selector' is 'hybrid';"
            f" allowed: a section of kind {SELECTOR_KINDS} or package.module:Class.",
        ),
        (
            "selector: {shortlist: 3}",
            "line 3: 'selector.kind' is missing;"
            f" it must be {SELECTOR_KINDS} or package.module:Class.",
        ),
        (
            "selector:\n  shortlist: 3\n  kind: hybird",
            "line 5: Unknown selector 'hybird'. Did you mean: hybrid?"
            f" Available: {SELECTOR_KINDS}.",
        ),
        (
            "proposers:\n  - kind: zero_shot\n  - kind: zero_shot\n    temperature: -1",
            "line 6: 'proposers[1].temperature' is -1; allowed: a number above 0.",
        ),
        (
            "proposers: [zero_shot]",
            "line 3: 'proposers[0]' is 'zero_shot';"
            " allowed: a section of kind zero_shot, nli, language_model, endpoint, rules,"
            " neighbours or package.module:Class.",
        ),
        (
            "selector: {kind: balanced, of: {kind: hybird}}",
            "line 3: Unknown selector 'hybird'. Did you mean: hybrid?"
            f" Available: {SELECTOR_KINDS}.",
        ),
        (
            "selector: {kind: balanced, of: {kind: hybrid, shortlst: 3}}",
            "line 3: unknown key 'selector.of.shortlst'. Did you mean: shortlist?"
            " Allowed: kind, shortlist.",
        ),
        ("seed: 1\nseed: 2", "line 4: 'seed' occurs twice in its section; keep one."),
        ("selector: {kind: 'nowhere:X'}", "line 3: 'nowhere:X': there is no module 'nowhere'."),
    ],
)
def test_a_mistake_is_told_with_its_line_its_value_and_what_is_allowed(
    lines: str, expected: str
) -> None:
    assert complaint(SMALLEST + lines + "\n") == f"x.yaml, {expected}"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("[a, a]", "line 2: label 'a' is listed twice."),
        ("\n- a\n- b\n- a", "line 5: label 'a' is listed twice."),
        ("\n- a\n- ' '\n- b", "line 4: a label's name is empty."),
        ("\n- a\n-\n- b", "line 4: a label's name is empty."),
        ("\n  a: x\n  '': y", "line 4: a label's name is empty."),
        ('[a, "\\0"]', "line 2: label '\\x00' contains half of a surrogate pair or a NUL"),
        ('[a, "\\ud800"]', "line 2: cannot be read as YAML: half of a surrogate pair"),
        ("{a: x}", "line 2: 'labels' is a section with a; allowed: at least 2 names, each"),
        ("[{a: x}, {b: y}]", "line 2: 'labels' is a list; allowed: at least 2 names, each"),
        ("{a: [x], b: y}", "line 2: 'labels.a' is a list; allowed: a line of text."),
        ("{a: x, a: y, b: z}", "line 2: 'labels.a' occurs twice in its section; keep one."),
    ],
)
def test_labels_that_cannot_be_used_are_told_with_their_line(labels: str, expected: str) -> None:
    message = complaint(f"pool: {{path: a.csv}}\nlabels: {labels}\n")

    assert message.startswith(f"x.yaml, {expected}")
    assert "\n" not in message


def test_what_is_missing_is_explained() -> None:
    message = complaint("labels: [a, b]\npool: {}\n")

    assert message.startswith("x.yaml, line 2: 'pool.path' is missing; it must be text. A .csv,")


def test_every_mistake_is_listed_in_the_order_of_the_file() -> None:
    message = complaint("pol: 1\nlabels: [a, b]\nseed: x\nbatch: {size: 0}\nseed: 1\n")

    assert [line.partition(":")[0] for line in message.splitlines()] == [
        "x.yaml",
        "x.yaml, line 1",
        "x.yaml, line 3",
        "x.yaml, line 4",
        "x.yaml, line 5",
    ]


def test_a_wrong_kind_of_student_does_not_hide_a_wrong_key_beside_it() -> None:
    message = complaint(SMALLEST + "student:\n  kind: lnear\n  fold: 3\n")

    assert "line 4: Unknown student 'lnear'. Did you mean: linear? Available: auto," in message
    assert "line 5: unknown key 'student.fold'. Did you mean: folds?" in message


def test_a_long_value_is_cut() -> None:
    assert len(complaint(SMALLEST + f"device: {'x' * 500}\n")) < 150


@given(st.recursive(st.text("ab:-#{}[]'\"!&*?|>%@ \n\t", max_size=12), st.lists, max_leaves=5))
def test_whatever_stands_in_a_file_the_answer_is_one_of_our_errors(value: object) -> None:
    complaint(f"{value}\n" if isinstance(value, str) else f"pool: {value}\n")


def test_selectors_nest() -> None:
    config = parse_config(
        SMALLEST + "selector: {kind: balanced, of: {kind: per_second, of: {kind: hybrid}}}\n",
        "x.yaml",
    )

    assert config.selector.model_dump() == {
        "kind": "balanced",
        "of": {"kind": "per_second", "of": {"kind": "hybrid", "shortlist": 10}, "shortlist": 4},
    }


SECTIONS: dict[str, type[Section]] = {
    "batch": BatchSection,
    "duplicates": Duplicates,
    "review": Review,
    "simulation": Simulation,
    "student": StudentSection,
    "embedder": Embedder,
}
NUMBERS = [
    (line, name, option.allowed)
    for line, section in SECTIONS.items()
    for name, option in options(section).items()
    if "number" in option.allowed
]


@pytest.mark.parametrize("value", ["true", "false", "True"])
@pytest.mark.parametrize(("section", "key", "allowed"), NUMBERS)
def test_true_is_no_number_anywhere(section: str, key: str, allowed: str, value: str) -> None:
    message = complaint(f"{SMALLEST}{section}: {{{key}: {value}}}\n")

    said = f"x.yaml, line 3: '{section}.{key}' is {value.lower()}; allowed: {allowed}."
    assert message.startswith(said)


@pytest.mark.parametrize("opening", ["{a: ", "["])
@pytest.mark.parametrize("depth", [100, 3000, 100_000])
def test_what_is_nested_without_end_is_refused_with_the_line(opening: str, depth: int) -> None:
    closing = "}" if opening == "{a: " else "]"
    text = f"{SMALLEST}x: {opening * depth}1{closing * depth}\n"

    assert complaint(text) == (
        "x.yaml, line 3: cannot be read as YAML: sections and lists are nested more than 50 deep."
    )


def test_a_character_that_json_writes_as_two_halves_is_one() -> None:
    text = json.dumps({"pool": {"path": "a.csv"}, "labels": ["\N{GRINNING FACE}", "b"]})

    assert parse_config(text, "x.json").label_names == ("\N{GRINNING FACE}", "b")


def test_a_hundred_thousand_labels_are_read_and_none_of_them_is_told() -> None:
    names = [f"label number {number}" for number in range(100_000)]

    assert (
        len(Config.model_validate({"pool": {"path": "a.csv"}, "labels": names}).labels) == 100_000
    )
    with pytest.raises(ValidationError, match="label 'label number 7' is listed twice"):
        Config.model_validate({"pool": {"path": "a.csv"}, "labels": [*names, names[7]]})
    message = complaint(
        "pool: {path: a.csv}\nlabels: [a, b]\nseed: {" + ": 1, ".join(names[:2000]) + ": 1}"
    )
    assert "and 1,970 more" in message
    assert len(message) < 2000


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (os.mkfifo, "is a pipe; give a plain file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device; give a plain file"),
        (lambda path: path.symlink_to(path.name), "its symbolic links form a circle"),
        (lambda path: path.write_bytes(b" " * (MAX_BYTES + 1)), "is larger than 64 MB"),
    ],
)
def test_what_is_no_plain_file_is_refused(
    tmp_path: Path, make: Callable[[Path], object], says: str
) -> None:
    path = tmp_path / "x.yaml"
    make(path)

    with pytest.raises(ConfigError, match=says):
        load_config(path)


def test_a_path_that_can_be_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the name is too long"):
        load_config("x" * 5000)
    with pytest.raises(ConfigError, match="null byte"):
        load_config("x\0.yaml")
