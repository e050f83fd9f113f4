import csv
from pathlib import Path

import pytest

from hilt.pipeline.configuration.reading import load_config
from hilt.pipeline.configuration.sections import Source

ROOT = Path(__file__).parents[3]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
DATA = ROOT.parent / "shared" / "data"
WITH_DATA = sorted(set(CONFIGS) - {ROOT / "configs" / "demo.yaml"})


def name(path: Path) -> str:
    return path.stem


def column_labels(source: Source) -> set[str]:
    with Path(source.path).open(encoding=source.encoding, newline="") as file:
        return {row["label"] for row in csv.DictReader(file)}


def test_there_are_ready_configurations() -> None:
    assert {path.stem for path in CONFIGS} == {
        "agnews",
        "banking77",
        "demo",
        "minimal",
        "tickets",
        "trec",
        "tweet_emotion",
    }


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_every_ready_configuration_is_read(path: Path) -> None:
    assert len(load_config(path).labels) >= 2


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_every_ready_configuration_starts_with_how_to_run_it(path: Path) -> None:
    first, second = path.read_text(encoding="utf-8").splitlines()[:2]

    assert first.startswith("# ")
    assert second.startswith("# ")
    assert "hilt " in second


@pytest.mark.parametrize("path", WITH_DATA, ids=name)
@pytest.mark.skipif(not DATA.is_dir(), reason="the datasets are not in ../shared/data")
def test_the_labels_of_a_ready_configuration_are_those_of_its_pool(path: Path) -> None:
    config = load_config(path)

    assert column_labels(config.pool) == set(config.labels)


def test_the_demo_can_be_read_from_an_installed_package() -> None:
    packaged = ROOT / "pipeline" / "templates" / "demo.yaml"

    assert (ROOT / "configs" / "demo.yaml").resolve() == packaged
    assert not packaged.is_symlink()


def test_the_demo_reads_the_files_that_make_demo_writes() -> None:
    demo = load_config(ROOT / "configs" / "demo.yaml")

    assert demo.pool.path == str(ROOT / "hilt-demo" / "pool.csv")
    assert demo.test is not None
    assert demo.test.path == str(ROOT / "hilt-demo" / "test.csv")
    assert demo.batch.size == 16
    assert demo.simulation.error_rate == 0
