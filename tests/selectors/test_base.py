import pytest

from hilt.errors import ConfigError, UnknownNameError
from hilt.selectors.balanced import Balanced
from hilt.selectors.base import make_selector
from hilt.selectors.guarded import GuardedSelector
from hilt.selectors.hybrid import Hybrid
from hilt.selectors.margin import Margin
from hilt.selectors.per_second import PerSecond
from hilt.tasks.single import Single
from tests.toys.words import Words


def test_a_selector_gets_what_its_section_says() -> None:
    made = make_selector({"kind": "hybrid", "shortlist": 5})

    assert isinstance(made, Hybrid)
    assert made.shortlist == 5


def test_a_wrapper_gets_the_selector_inside_it() -> None:
    made = make_selector(
        {"kind": "balanced", "of": {"kind": "per_second", "of": {"kind": "hybrid"}}}
    )

    assert isinstance(made, Balanced)
    assert isinstance(made.of, PerSecond)
    assert isinstance(made.of.of, Hybrid)


def test_a_wrapper_alone_is_around_margin() -> None:
    made = make_selector({"kind": "balanced"})

    assert isinstance(made, Balanced)
    assert isinstance(made.of, Margin)


def test_a_class_of_ones_own_gets_its_settings() -> None:
    made = make_selector({"kind": "hilt.selectors.hybrid:Hybrid", "settings": {"shortlist": 7}})

    assert isinstance(made, GuardedSelector)
    assert isinstance(made.selector, Hybrid)
    assert made.selector.shortlist == 7


def test_an_unknown_kind_inside_a_wrapper_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean: hybrid"):
        make_selector({"kind": "balanced", "of": {"kind": "hybird"}})


@pytest.mark.parametrize("kind", ["badge", "bald", "contrastive", "dropquery"])
def test_a_selector_that_needs_one_distribution_an_item_refuses_other_tasks(kind: str) -> None:
    section = {"kind": "balanced", "of": {"kind": kind}}

    make_selector(section, Single(("yes", "no")))
    with pytest.raises(ConfigError, match=f"Selector '{kind}' does not serve the task 'words'"):
        make_selector(section, Words(("yes", "no")))
