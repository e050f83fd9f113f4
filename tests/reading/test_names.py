import pytest

from hilt.errors import DataError
from hilt.reading.names import find_column, match_name, unique_names


@pytest.mark.parametrize(
    ("wanted", "present", "found"),
    [
        ("text", ["id", "text"], "text"),
        ("text", ["id", " Text "], " Text "),
        ("text", ["id", "\ufeffTEXT"], "\ufeffTEXT"),
        ("text", ["Text", "text"], "text"),
        ("text", ["Text", "TEXT"], None),
        ("text", ["id"], None),
        ("TRUE", ["true", "false"], "true"),
        ("True", ["true", "false"], "true"),
        ("3.0", ["1", "3"], "3"),
        ("3", ["1", "3.0"], "3.0"),
        ("3.5", ["3"], None),
        ("straße", ["STRASSE"], "STRASSE"),
        ("cafe\u0301", ["café"], "café"),
    ],
)
def test_a_name_is_found_in_another_spelling_where_there_is_one_only(
    wanted: str, present: list[str], found: str | None
) -> None:
    assert match_name(wanted, present) == found


def test_two_spellings_of_a_column_are_both_named() -> None:
    with pytest.raises(DataError, match="'Text' and 'TEXT' are both spellings of the column"):
        find_column("text", ["Text", "TEXT"], place="a.csv", role="text")


def test_the_nearest_column_is_named_without_its_spaces() -> None:
    with pytest.raises(DataError, match=r"Did you mean: txt\? Columns: ' txt '\."):
        find_column("text", [" txt "], place="a.csv", role="text")


def test_a_great_many_columns_are_not_all_listed() -> None:
    with pytest.raises(DataError) as caught:
        find_column("text", [f"c{number}" for number in range(5000)], place="a.csv", role="text")

    assert "and 4,970 more" in str(caught.value)
    assert len(str(caught.value)) < 500


def test_names_that_stand_twice_are_numbered() -> None:
    assert unique_names(["x", "x", "x.2", "", "x"]) == ["x", "x.3", "x.2", "column 4", "x.4"]
