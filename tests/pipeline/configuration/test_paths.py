"""Every path that a configuration may name starts at the folder of its file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hilt.errors import ConfigError, DataError
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.options import options
from hilt.pipeline.configuration.paths import names_file
from hilt.pipeline.configuration.reading import load_config
from hilt.pipeline.configuration.section import Section
from hilt.pipeline.pools.source import open_source
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.workspace import open_workspace

SMALLEST = "pool: {path: pool.csv}\nlabels: [cat, dog]\n"
# Texts that are no paths. A new option of this type has to be put here, or be marked.
NO_PATHS = {
    "answer", "api_key_variable", "description_prompt", "encoding", "function", "hypothesis", "id",
    "instructions", "introduction", "kind", "label", "language", "name", "pattern", "prompt",
    "revision", "split", "text", "url", "delimiter", "address",
}  # fmt: skip
WRITTEN = {
    "pool.path": "pool: {path: %s}\n",
    "test.path": "pool: {path: pool.csv}\ntest: {path: %s}\n",
    "embedder.model": "embedder: {model: %s}\n",
    "student.contrastive.model": "student: {contrastive: {model: %s}}\n",
    "student.transformer.model": "student: {transformer: {model: %s}}\n",
    "proposers.nli.model": "proposers: [{kind: zero_shot}, {kind: nli, model: %s}]\n",
    "proposers.language_model.model": "proposers: [{kind: language_model, model: %s}]\n",
    "database": "database: 'sqlite:///%s'\n",
}


def texts_that_name_files(
    section: type[Section], prefix: str = "", seen: tuple[type[Section], ...] = ()
) -> Iterator[tuple[str, bool]]:
    """Every option that holds a text, at any depth, and whether it is marked to name a file."""
    for name, option in options(section).items():
        if option.allowed == "text":
            yield prefix + name, names_file(section, name) is not None
        for kind, model in option.sections.items():
            if model not in seen:
                inner = f"{prefix}{name}.{kind}." if kind else f"{prefix}{name}."
                yield from texts_that_name_files(model, inner, (*seen, model))


def read(folder: Path, text: str) -> Config:
    folder.mkdir(exist_ok=True)
    start = "" if text.startswith("pool:") else "pool: {path: pool.csv}\n"
    (folder / "x.yaml").write_text(start + "labels: [cat, dog]\n" + text, encoding="utf-8")
    return load_config(folder / "x.yaml")


def value_of(config: Config, option: str) -> str:
    """What stands at a key; of a list of proposers, in the last one."""
    value: Any = config
    for key in option.split("."):
        value = value[-1] if isinstance(value, tuple) else getattr(value, key)
    return str(value).removeprefix("sqlite:///")


def make_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def test_every_text_is_known_to_name_a_file_or_not() -> None:
    found = dict(texts_that_name_files(Config))

    marked = {option for option, is_marked in found.items() if is_marked}
    unmarked = {option.rpartition(".")[2] for option in found.keys() - marked}

    assert marked == set(WRITTEN)
    assert unmarked - {"model"} <= NO_PATHS
    assert {option for option in found.keys() - marked if option.endswith("model")} == {
        "proposers.endpoint.model"  # a name on a server
    }


@pytest.mark.parametrize("option", WRITTEN)
@pytest.mark.parametrize("written", ["./enc", "../enc", "a/b/enc", "/opt/enc", "./here/../enc"])
def test_every_path_starts_at_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, written: str
) -> None:
    monkeypatch.chdir(make_model(tmp_path / "elsewhere" / "enc").parent)
    folder = tmp_path / "configs"

    config = read(folder, WRITTEN[option] % written)

    assert value_of(config, option) == str((folder / written).resolve())


MODELS = [option for option in WRITTEN if option.endswith("model")]


@pytest.mark.parametrize("option", MODELS)
@pytest.mark.parametrize("written", ["enc", "enc/", "org/name"])
def test_a_model_beside_the_file_is_preferred_to_the_hub(
    tmp_path: Path, option: str, written: str
) -> None:
    place = make_model(tmp_path / written)

    assert value_of(read(tmp_path, WRITTEN[option] % written), option) == str(place.resolve())


@pytest.mark.parametrize("option", MODELS)
@pytest.mark.parametrize("written", ["bert-base", "org/name"])
def test_any_other_name_stays_one_on_the_hub(tmp_path: Path, option: str, written: str) -> None:
    (tmp_path / written).mkdir(parents=True)  # and has no model in it

    assert value_of(read(tmp_path, WRITTEN[option] % written), option) == written


def test_a_file_of_weights_is_a_path(tmp_path: Path) -> None:
    option = "proposers.language_model.model"

    assert value_of(read(tmp_path, WRITTEN[option] % "q4.gguf"), option) == str(
        tmp_path.resolve() / "q4.gguf"
    )


def test_a_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    config = read(tmp_path / "configs", "embedder: {model: ~/enc}\n")

    assert config.embedder.model == str(tmp_path.resolve() / "enc")


@pytest.mark.parametrize("url", ["postgresql://me@host/name", "sqlite://", "sqlite:///:memory:"])
def test_a_database_that_is_no_file_stays_as_written(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, f"database: '{url}'\n").database == url


def test_a_default_is_no_path(tmp_path: Path) -> None:
    """And stays unset, so that a workspace does not write it down."""
    make_model(tmp_path / "sentence-transformers" / "all-MiniLM-L6-v2")

    config = read(tmp_path, "embedder: {max_tokens: 64}\nstudent: {contrastive: {epochs: 3}}\n")

    written = config.model_dump(exclude_unset=True)
    assert written["embedder"] == {"max_tokens": 64}
    assert written["student"] == {"contrastive": {"epochs": 3}}


def write_project(folder: Path, model: str) -> Path:
    folder.mkdir()
    (folder / "pool.csv").write_text("text\nmeow\nwoof\n")
    (folder / "x.yaml").write_text(SMALLEST + f"embedder: {{model: {model}}}\n")
    return folder / "x.yaml"


def test_a_workspace_keeps_absolute_paths(tmp_path: Path) -> None:
    workspace = init(tmp_path / "work", write_project(tmp_path / "project", "./enc"))

    expected = str((tmp_path / "project" / "enc").resolve())
    assert workspace.config.embedder.model == expected
    assert f"model: {expected}" in (tmp_path / "work" / "hilt.yaml").read_text("utf-8")


def test_a_workspace_of_an_older_hilt_finds_its_model_from_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It kept the path as it was written, which started at the working folder."""
    config = write_project(tmp_path / "project", "./enc")
    encoder = make_model(tmp_path / "project" / "enc")
    init(tmp_path / "work", config).database.close()
    yaml = tmp_path / "work" / "hilt.yaml"
    yaml.write_text(yaml.read_text("utf-8").replace(str(encoder.resolve()), "./enc"))
    monkeypatch.chdir(tmp_path / "project")

    workspace = open_workspace(tmp_path / "work")

    assert workspace.config.embedder.model == str(encoder.resolve())


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_may_be_a_text(tmp_path: Path, kind: Callable[[Path], Path | str]) -> None:
    read(tmp_path, "")

    assert load_config(kind(tmp_path / "x.yaml")).label_names == ("cat", "dog")


@pytest.mark.parametrize("value", [{"pool": {}}, None, 3])
def test_what_is_no_path_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match=f"got a {type(value).__name__}; give its path"):
        load_config(value)


@pytest.mark.parametrize("written", ["loop", "~nobody-of-this-name/x.csv", "x" * 5000 + ".csv"])
def test_a_path_that_cannot_be_followed_is_left_to_whoever_opens_it(
    tmp_path: Path, written: str
) -> None:
    (tmp_path / "loop").symlink_to("loop")

    config = read(tmp_path, f"pool: {{path: {written}}}\n")

    assert config.pool.path.endswith(written)
    with pytest.raises(DataError, match=r"cannot be read: |there is no such file"):
        open_source(config.pool)


def test_a_model_with_a_name_that_no_file_can_have_is_left_to_whoever_opens_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.yaml"
    name = "x" * 3000
    path.write_text(f"pool: {{path: a.csv}}\nlabels: [a, b]\nembedder: {{model: {name}}}\n")

    assert load_config(path).embedder.model == name
