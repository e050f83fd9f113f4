"""The shipped tickets are as many, as varied and as hard as their note says."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.workspace import Workspace

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
COLUMNS = ["id", "created", "channel", "subject", "text"]
CHANNELS = {"email", "form", "chat", "phone", "social"}
ALONE = 450  # tickets, at least, of which there is no near-duplicate
ALIKE = 0.5  # share of the runs of three words that two near-duplicates have in common

pytestmark = pytest.mark.skipif(not CONFIGS.is_dir(), reason="needs a checkout")


def rows(name: str) -> list[dict[str, str]]:
    with (CONFIGS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def tickets() -> list[dict[str, str]]:
    return rows("tickets.csv")


@pytest.fixture(scope="module")
def new_tickets() -> list[dict[str, str]]:
    return rows("new_tickets.csv")


@pytest.fixture(scope="module")
def near_duplicates(
    tickets: list[dict[str, str]], new_tickets: list[dict[str, str]]
) -> list[tuple[int, int]]:
    """Pairs of positions in the two files, one after the other, whose texts are alike."""
    return list(alike([row["text"] for row in [*tickets, *new_tickets]]))


@pytest.fixture(scope="module")
def proposed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = init(tmp_path_factory.mktemp("tickets") / "work", CONFIGS / "tickets.yaml")
    propose(workspace)
    return workspace


def runs_of_words(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2))}


def alike(texts: list[str]) -> Iterator[tuple[int, int]]:
    runs = [runs_of_words(text) for text in texts]
    for left, right in combinations(range(len(texts)), 2):
        if len(runs[left] & runs[right]) > ALIKE * len(runs[left] | runs[right]):
            yield left, right


def test_the_files_have_the_columns_that_their_note_describes(
    tickets: list[dict[str, str]], new_tickets: list[dict[str, str]]
) -> None:
    assert list(tickets[0]) == [*COLUMNS, "label"]
    assert list(new_tickets[0]) == COLUMNS
    assert (600 <= len(tickets) <= 620, len(new_tickets)) == (True, 40)


def test_no_id_and_no_text_comes_twice_in_the_two_files(
    tickets: list[dict[str, str]], new_tickets: list[dict[str, str]]
) -> None:
    every = [*tickets, *new_tickets]

    assert len({row["id"] for row in every}) == len({row["text"] for row in every}) == len(every)
    assert all(re.fullmatch(r"T-\d{5}", row["id"]) for row in every)


def test_tickets_are_in_the_order_in_which_they_came(
    tickets: list[dict[str, str]], new_tickets: list[dict[str, str]]
) -> None:
    created = [datetime.fromisoformat(row["created"]) for row in [*tickets, *new_tickets]]

    assert created == sorted(created)
    assert (created[-1] - created[0]).days > 150


def test_tickets_are_as_long_and_come_by_as_many_ways_as_real_ones(
    tickets: list[dict[str, str]],
) -> None:
    texts = [row["text"] for row in tickets]

    assert {row["channel"] for row in tickets} == CHANNELS
    assert all(20 <= len(text) <= 900 and text == text.strip() for text in texts)
    assert sum("\n" in text for text in texts) >= 10
    assert sum('"' in text for text in texts) >= 40
    assert sum(row["subject"] == "" for row in tickets) >= 100


def test_the_note_counts_the_labels_as_the_file_has_them(tickets: list[dict[str, str]]) -> None:
    note = (CONFIGS / "tickets.md").read_text(encoding="utf-8")
    counted = re.findall(r"^\| `([a-z-]+)` \|.*\| (\d+) \|$", note, re.M)
    counts = Counter(row["label"] for row in tickets)

    assert {label: int(number) for label, number in counted} == counts
    assert min(counts.values()) >= 50


def test_most_tickets_have_no_near_duplicate_by_their_words(
    tickets: list[dict[str, str]], near_duplicates: list[tuple[int, int]]
) -> None:
    assert len(tickets) - len({end for pair in near_duplicates for end in pair}) >= ALONE
    assert len(near_duplicates) >= 50


def test_most_tickets_have_no_near_duplicate_by_hilts_own_groups(proposed: Workspace) -> None:
    sizes = np.unique(np.asarray(proposed.groups), return_counts=True)[1]

    assert (sizes == 1).sum() >= ALONE
    assert sizes.max() >= 5


def test_no_new_ticket_is_nearly_one_of_the_labelled(
    tickets: list[dict[str, str]], near_duplicates: list[tuple[int, int]]
) -> None:
    assert [pair for pair in near_duplicates if pair[1] >= len(tickets)] == []


def test_tickets_can_be_learnt_but_are_not_guessed_from_the_descriptions(
    proposed: Workspace, tickets: list[dict[str, str]]
) -> None:
    truth = np.array([row["label"] for row in tickets])
    embeddings = np.asarray(proposed.embeddings.open(), dtype=np.float32)
    guesses = np.array(proposed.config.label_names)[np.asarray(proposed.fused.open()).argmax(1)]
    learnt = cross_val_predict(
        LogisticRegression(C=5, max_iter=1000),
        embeddings,
        truth,
        groups=np.asarray(proposed.groups),
        cv=StratifiedGroupKFold(5, shuffle=True, random_state=0),
    )

    assert 0.65 <= (guesses == truth).mean() < 0.85
    assert 0.85 <= (learnt == truth).mean() <= 0.97
