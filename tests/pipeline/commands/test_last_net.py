"""What nobody foresaw of the operating system still ends in a sentence, and Ctrl-C in 130."""

import errno

import pytest
import typer

from hilt.errors import OutputError
from hilt.pipeline.commands.terminal import command


def raising(error: BaseException) -> None:
    @command
    def run(debug: bool = False) -> None:
        raise error

    run()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "a.csv"),
            "a.csv: the operating system",
        ),
        (OSError(errno.EIO, "Input/output error"), "the operating system says: Input/output error"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "x" * 5000), "the name is too long"),
        (OutputError("a.csv cannot be written; name another place."), "a.csv cannot be written"),
    ],
)
def test_an_error_of_the_operating_system_is_a_sentence(
    error: OSError, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as caught:
        raising(error)

    told = capsys.readouterr().err
    assert caught.value.exit_code == 2
    assert says in told
    assert len(told) < 600


def test_ctrl_c_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught:
        raising(KeyboardInterrupt())

    assert caught.value.exit_code == 130
    assert "Nothing is lost" in capsys.readouterr().err
