from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hilt.proposers.endpoint.pricing import Budget, Prices, likely_input_tokens, most_input_tokens


def body(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def test_prices_are_for_a_million_tokens() -> None:
    assert Prices(2, 8).cost_usd(1_000_000, 500_000) == 6


def test_prices_of_nothing_are_no_prices() -> None:
    assert not Prices()
    assert Prices(0, 1)


@given(st.text())
def test_the_most_tokens_of_a_text_are_no_fewer_than_its_bytes(
    text: str,
) -> None:
    most = most_input_tokens(body(text))

    assert most >= len(text.encode("utf-8", "surrogatepass"))
    assert most > likely_input_tokens(body(text))


def test_a_schema_counts_as_input() -> None:
    with_schema = {**body("x"), "response_format": {"enum": ["a" * 1000]}}

    assert most_input_tokens(with_schema) > most_input_tokens(body("x")) + 1000


def test_a_budget_holds_what_it_says_and_no_more() -> None:
    budget = Budget(1.0, 0.75)

    assert budget.fits(0.25)
    assert not budget.fits(0.26)
    assert Budget(None, 1e9).fits(1e9)
