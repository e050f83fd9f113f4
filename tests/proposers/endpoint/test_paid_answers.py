import subprocess
import sys
from pathlib import Path

import pytest

from hilt.proposers.endpoint.paid_answers import FILE, PaidAnswers, Reply

REPLY = Reply("sport", "stop", 10, 2)


def test_a_reply_is_kept_for_the_next_process(tmp_path: Path) -> None:
    answers = PaidAnswers(tmp_path / "new")
    answers.reserve("key", "account", 1)
    answers.settle("key", -0.75, REPLY)

    again = PaidAnswers(tmp_path / "new")

    assert again.get("key") == REPLY
    assert again.get("other") is None
    assert again.spent("account") == pytest.approx(0.25)
    assert again.spent("other") == 0


def test_a_request_on_its_way_counts_as_spent_but_not_as_answered(tmp_path: Path) -> None:
    PaidAnswers(tmp_path).reserve("key", "account", 1)

    after_a_crash = PaidAnswers(tmp_path)
    after_a_crash.reserve("key", "account", 1)

    assert after_a_crash.get("key") is None
    assert after_a_crash.spent("account") == 2


def test_a_request_that_failed_keeps_what_it_may_have_cost() -> None:
    answers = PaidAnswers(None)
    answers.reserve("key", "account", 1)
    answers.settle("key", -0.5)

    assert answers.get("key") is None
    assert answers.spent("account") == 0.5


def test_without_a_folder_answers_are_kept_in_memory() -> None:
    answers = PaidAnswers(None)
    answers.reserve("key", "account", 1)
    answers.settle("key", 0, REPLY)

    assert answers.get("key") == REPLY
    assert PaidAnswers(None).get("key") is None


def test_nothing_is_opened_before_it_is_needed(tmp_path: Path) -> None:
    PaidAnswers(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_another_process_reads_while_this_one_writes(tmp_path: Path) -> None:
    answers = PaidAnswers(tmp_path)
    answers.reserve("key", "account", 1)
    answers.settle("key", 0, REPLY)
    program = (
        "import sqlite3, sys; rows = sqlite3.connect(sys.argv[1])"
        ".execute('SELECT key, content FROM answers').fetchall(); print(rows)"
    )

    answers._database.execute("BEGIN IMMEDIATE")
    arguments = [sys.executable, "-IS", "-c", program, str(tmp_path / FILE)]
    output = subprocess.check_output(arguments, text=True)
    answers._database.execute("ROLLBACK")

    assert output.strip() == "[('key', 'sport')]"
