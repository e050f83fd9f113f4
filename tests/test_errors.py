import inspect
import re

import pytest

from hilt import errors
from hilt.errors import HiltError

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, HiltError)
}
TREE = {
    name: builtin for name, builtin in re.findall(r"[├└]── (\w+) +\((\w+)\)", errors.__doc__ or "")
}


def test_the_tree_in_the_docstring_has_every_error() -> None:
    assert {"HiltError", *TREE} == set(CLASSES)


@pytest.mark.parametrize("name", TREE)
def test_an_error_has_the_parents_that_the_tree_says(name: str) -> None:
    assert [base.__name__ for base in CLASSES[name].__bases__] == ["HiltError", TREE[name]]


@pytest.mark.parametrize("name", TREE)
def test_an_error_can_be_raised_with_a_message_and_caught_as_its_builtin(name: str) -> None:
    error = CLASSES[name]("k is 50 but 12 items are left")

    assert str(error) == "k is 50 but 12 items are left"
    assert isinstance(error, HiltError)
