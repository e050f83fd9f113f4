"""One cycle reads what it needs once, and few functions take a whole workspace."""

from collections.abc import Callable

from hilt.pipeline.workspace.workspace import Workspace
from scripts.count_state_reads import count_reads, workspace_parameters


def test_a_cycle_reads_its_state_once(small_workspace: Callable[[str], Workspace]) -> None:
    found = count_reads(small_workspace("reviewed"))

    assert found["decisions"] == 1
    assert found["batch_items"] == 1
    assert found["panels"] == 1
    assert found["hashes"] <= 1


def test_few_functions_take_a_whole_workspace() -> None:
    assert len(workspace_parameters()) < 10
