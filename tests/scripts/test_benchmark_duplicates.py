"""The script that injects near-duplicates and measures them, on a small corpus."""

import json
import sys
from collections import Counter
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from hilt.pipeline.workspace.workspace import Workspace

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "benchmark_duplicates.py"
spec = spec_from_file_location(SCRIPT.stem, SCRIPT)
assert spec is not None
assert spec.loader is not None
module = module_from_spec(spec)
spec.loader.exec_module(module)


def test_injected_copies_are_the_share_that_was_asked_for_and_name_their_source() -> None:
    rows = [(str(number), f"text number {number}", "a") for number in range(700)]

    injected = module.inject(rows, 0.3, np.random.default_rng(0))

    copies = injected[700:]
    assert injected[:700] == rows
    assert len(copies) == 300
    assert len({item_id for item_id, _, _ in injected}) == 1000
    sources = Counter(item_id.partition("~")[0] for item_id, _, _ in copies)
    assert sources.most_common(1)[0][1] > 50
    assert set(sources) < {item_id for item_id, _, _ in rows}


def test_the_script_compares_the_loop_with_and_without(
    new_workspace: Callable[..., Workspace],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    new_workspace()
    config = tmp_path / "config.yaml"
    options = f"--share 0.3 --at 6 --seeds 1 --folder {tmp_path / 'runs'}"
    monkeypatch.setattr(sys, "argv", ["script", str(config), *options.split()])

    module.main()

    printed = capsys.readouterr().out.replace("}\n{", "},{")
    near, same = json.loads(f"[{printed}]")
    assert (near["near"], same["near"]) == (True, False)
    assert near["groups"]["items"] == same["groups"]["items"] == 69
    assert near["groups"]["members"]["of"] >= same["groups"]["members"]["of"]
    assert near["groups"]["members"]["right"] == 1.0
    assert len(near["by_seed"]) == len(near["inherited"]) == 1


def test_with_a_notice_and_no_seeds_the_groups_alone_are_described(
    new_workspace: Callable[..., Workspace],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    new_workspace()
    options = f"--items 20 --notice footer --seeds 0 --folder {tmp_path / 'runs'}"
    monkeypatch.setattr(sys, "argv", ["script", str(tmp_path / "config.yaml"), *options.split()])

    module.main()

    described = json.loads(capsys.readouterr().out)
    (pool,) = (tmp_path / "runs").glob("*/pool.csv")
    assert pool.read_text("utf-8").count(module.NOTICE) == described["items"] == 20
    assert described["near_members_of_one_text"] == {"of": 0}
