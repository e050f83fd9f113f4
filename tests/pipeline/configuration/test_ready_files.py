import csv
from pathlib import Path

import pytest

from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.reading import load_config
from hilt.pipeline.configuration.source import Source

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs"
BENCHMARKS = sorted((CONFIGS / "benchmarks").glob("*.yaml"))
DEMO = CONFIGS / "demo.yaml"
BBC = CONFIGS / "benchmarks" / "bbc.yaml"  # of the two files that the demo writes
SHIPPED = sorted(set(CONFIGS.glob("*.yaml")) - {DEMO})  # with their data, so that they just run
READY = [*SHIPPED, DEMO, *BENCHMARKS]
DATA = (ROOT.parent / "shared" / "data").resolve()


def name(path: Path) -> str:
    return path.relative_to(CONFIGS).with_suffix("").as_posix()


def files(config: Config) -> list[Path]:
    return [Path(source.path) for source in (config.pool, config.test) if source is not None]


def column_labels(source: Source) -> set[str]:
    with Path(source.path).open(encoding=source.encoding, newline="") as file:
        return {row[source.label or "label"] for row in csv.DictReader(file)}


def test_there_are_ready_configurations() -> None:
    assert {name(path) for path in CONFIGS.rglob("*.yaml")} == {
        "minimal",
        "tickets",
        "demo",
        "benchmarks/agnews",
        "benchmarks/banking77",
        "benchmarks/banking77-linear",
        "benchmarks/bbc",
        "benchmarks/trec",
        "benchmarks/tweet_emotion",
    }
    assert {name(path) for path in READY} == {name(path) for path in CONFIGS.rglob("*.yaml")}


@pytest.mark.parametrize("path", READY, ids=name)
def test_every_ready_configuration_is_read(path: Path) -> None:
    assert len(load_config(path).labels) >= 2


@pytest.mark.parametrize("path", READY, ids=name)
def test_every_ready_configuration_starts_with_how_to_run_it(path: Path) -> None:
    first, second = path.read_text(encoding="utf-8").splitlines()[:2]

    assert first.startswith("# ")
    assert second.startswith("# ")
    assert f"hilt init work --config {path.relative_to(ROOT)}" in second


@pytest.mark.parametrize("path", SHIPPED, ids=name)
def test_a_configuration_in_configs_needs_nothing_but_its_folder(path: Path) -> None:
    needed = files(load_config(path))

    assert [file for file in needed if not file.is_file()] == []
    assert {file.parent for file in needed} == {CONFIGS}


@pytest.mark.parametrize("path", BENCHMARKS, ids=name)
def test_a_benchmark_says_which_data_it_needs_and_where_they_come_from(path: Path) -> None:
    note = path.read_text("utf-8").partition("\n\n")[0].replace("\n# ", " ")

    assert "It needs data that is not in this repository" in note
    assert "https://" in note
    assert [file.name for file in files(load_config(path)) if file.name not in note] == []
    folder = ROOT / "hilt-demo" if path == BBC else DATA
    assert {file.parent for file in files(load_config(path))} == {folder}


@pytest.mark.parametrize("path", SHIPPED, ids=name)
def test_the_labels_of_a_shipped_configuration_are_those_of_its_pool(path: Path) -> None:
    config = load_config(path)

    assert column_labels(config.pool) == set(config.labels)


@pytest.mark.parametrize("path", [path for path in BENCHMARKS if path != BBC], ids=name)
@pytest.mark.skipif(not DATA.is_dir(), reason="the datasets are not in ../shared/data")
def test_the_labels_of_a_benchmark_are_those_of_its_pool(path: Path) -> None:
    config = load_config(path)

    assert column_labels(config.pool) == set(config.labels)


def test_bbc_has_ten_lines_and_the_labels_of_the_demo() -> None:
    lines = BBC.read_text("utf-8").partition("\n\n")[2].splitlines()
    config, demo = load_config(BBC), load_config(DEMO)

    assert len(lines) == 10
    assert list(config.labels) == list(demo.labels)
    assert files(config) == files(demo)


def test_banking77_linear_differs_in_its_student_alone() -> None:
    linear, usual = (
        load_config(CONFIGS / "benchmarks" / f"{each}.yaml")
        for each in ("banking77-linear", "banking77")
    )

    assert linear.student.kind == "linear"
    assert linear.model_copy(update={"student": usual.student}) == usual


def test_the_demo_can_be_read_from_an_installed_package() -> None:
    packaged = ROOT / "pipeline" / "benchmarking" / "templates" / "demo.yaml"

    assert DEMO.resolve() == packaged
    assert not packaged.is_symlink()


def test_the_demo_reads_the_files_that_make_demo_writes() -> None:
    demo = load_config(DEMO)

    assert demo.pool.path == str(ROOT / "hilt-demo" / "pool.csv")
    assert demo.test is not None
    assert demo.test.path == str(ROOT / "hilt-demo" / "test.csv")
    assert demo.batch.size == 16
    assert demo.simulation.error_rate == 0
