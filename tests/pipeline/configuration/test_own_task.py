"""A third party's task is looked at when the configuration is read."""

from pathlib import Path

import pytest

import hilt
from hilt.errors import ConfigError
from hilt.tasks.single import Single
from hilt.types import Content, Value

CONFIG = """\
pool: {{path: pool.csv}}
labels: [bad, good]
task: "tests.pipeline.configuration.test_own_task:{}"
"""


class OnlyProblem:
    """Answers that lack all but one method."""

    def problem(self, value: Value, content: Content | None) -> str | None:
        """Find none."""
        return None


class Half(Single):
    """A task of which a part is not finished."""

    answers = OnlyProblem()  # type: ignore[assignment]


class Unreadable(Single):
    """A task with a slip in the name of its form."""

    form = "lable"


class Unseen(Single):
    """A task with a slip in the name of its part of the screen."""

    screen = "choise"


class Numbered(Single):
    """A task that takes only some labels."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        raise ValueError("the labels must be numbers")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Half", r"its answers have no resolve; `hilt\.tasks\.base\.Answers` lists"),
        ("Unreadable", "Unknown answer form 'lable'. Did you mean: label?"),
        ("Unseen", "the part 'choise' of the review screen. Did you mean: choice?"),
        ("Numbered", "failed with ValueError: the labels must be numbers"),
    ],
)
def test_what_is_wrong_with_a_task_is_said_with_its_line(
    tmp_path: Path, name: str, says: str
) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG.format(name), encoding="utf-8")

    with pytest.raises(ConfigError, match=rf"config\.yaml, line 3: .*{says}"):
        hilt.load_config(tmp_path / "config.yaml")
