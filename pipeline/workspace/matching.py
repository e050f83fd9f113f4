"""Which item an answered line is about, also after a spreadsheet had the file in hand.

A line of a sheet that hilt wrote is found by batch and rank, and checked by id and text: whatever
a program made of the ids, they cost nothing while the texts agree. Other lines are found by id, or
by text where a file has no ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from hilt.blocks import blocks
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.workspace.tables import BatchItemRow
from hilt.review.base import Answered
from hilt.types import Decision
from hilt.values import in_words

MATCHES = ("auto", "text")
BLOCK_ROWS = 16384
TELLING = 3  # words that a text needs, before it can say that an id belongs to another one
CUT = 1000  # characters from which on a text may have been cut off by a program
SHOWN = 60


@dataclass(frozen=True, slots=True)
class MatchedDecision:
    """A decision whose item is known.

    Attributes:
        index: The item's place in the pool.
        shown: The item as it stands in a batch, if it does.
        own: Whether the line is one of the batch's own sheet, so that what is blind was blind.
        mended: Whether the line has another id than the item.
    """

    decision: Decision
    index: int
    shown: BatchItemRow | None
    own: bool = False
    mended: bool = False


class Matching:
    """Finds the items of some lines.

    Args:
        pool: Whose items.
        shown: The items of all batches, in order.
        lines: The lines that will be asked about; what they need is read at once.
        match: `text` finds items by their texts alone; `auto` only where a line has no id.
    """

    def __init__(
        self,
        pool: Pool,
        shown: Iterable[BatchItemRow],
        lines: Sequence[Answered],
        match: str = "auto",
    ) -> None:
        self._pool, self._match = pool, match
        self._by_id: dict[tuple[str, int | None], BatchItemRow] = {}
        self._by_place: dict[tuple[int, int], BatchItemRow] = {}
        for row in shown:
            self._by_id[row.item_id, row.batch] = self._by_id[row.item_id, None] = row
            self._by_place[row.batch, row.rank] = row
        self._indices = self._pool.find([line.decision.item_id for line in lines])
        self._texts = self._read_texts(lines)
        self._by_text = self._find_texts(line.text for line in lines if self._needs_text(line))

    def find(self, line: Answered) -> MatchedDecision | str:
        """Find a line's item and what was shown of it, or say why that cannot be."""
        if self._needs_text(line):
            found = self._with_text(line)
        elif line.decision.batch is not None and line.rank is not None:
            found = self._in_sheet(line, line.decision.batch, line.rank)
        else:
            found = self._with_id(line)
        return found if isinstance(found, str) else _accepted(found, line)

    def _needs_text(self, line: Answered) -> bool:
        if line.rank is not None and line.decision.batch is not None:
            return False
        return bool(line.text) and (self._match == "text" or not line.decision.item_id)

    def _in_sheet(self, line: Answered, batch: int, rank: int) -> MatchedDecision | str:
        said, text = line.decision, line.text
        row, named = self._by_place.get((batch, rank)), self._by_id.get((said.item_id, batch))
        if row is not None and row is named:
            if text and contrary(text, self._texts[row.item_index]):
                return f"the text is not that of the item {_shown(said.item_id)}: {_shown(text)}"
            return MatchedDecision(said, row.item_index, row, own=True)
        for each in (row, named):
            if each is not None and text and same_text(text, self._texts[each.item_index]):
                mended = each.item_id != said.item_id
                said = replace(said, item_id=each.item_id)
                return MatchedDecision(said, each.item_index, each, own=True, mended=mended)
        if row is None and named is None:
            return (
                f"batch {batch} has no item with the id {_shown(said.item_id)}, and no rank {rank}"
            )
        there = "no item" if row is None else f"the item {_shown(row.item_id)}"
        text = "no text to compare" if not text else f"another text: {_shown(text)}"
        return (
            f"batch {batch} has {there} at rank {rank}; the line has the id {_shown(said.item_id)}"
            f" and {text}"
        )

    def _with_id(self, line: Answered) -> MatchedDecision | str:
        said = line.decision
        row = self._by_id.get((said.item_id, said.batch))
        if row is None and said.batch is not None:
            return f"batch {said.batch!r} has no item with the id {_shown(said.item_id)}"
        index = self._indices.get(said.item_id) if row is None else row.item_index
        if index is None:
            hint = "; `--match text` finds items by their texts" if line.text else ""
            return f"no item of the pool has the id {_shown(said.item_id)}{hint}"
        if line.text and contrary(line.text, self._texts[index]):
            return f"the text is not that of the item {_shown(said.item_id)}: {_shown(line.text)}"
        return MatchedDecision(said, index, row)

    def _with_text(self, line: Answered) -> MatchedDecision | str:
        index = self._by_text.get(_spaced(line.text or ""))
        if index is None:
            return f"no item of the pool has the text {_shown(line.text or '')}"
        item_id = self._pool.ids([index])[0]
        said = replace(line.decision, item_id=item_id)
        row = self._by_id.get((item_id, said.batch))
        if row is None and said.batch is not None:
            return f"batch {said.batch} has no item with the text {_shown(line.text or '')}"
        return MatchedDecision(said, index, row)

    def _find_texts(self, texts: Iterable[str | None]) -> dict[str, int]:
        """Find the first items that have these texts, by the texts."""
        wanted = {_spaced(text or "") for text in texts} - {""}
        found: dict[str, int] = {}
        if not wanted:
            return found
        for block in blocks(len(self._pool), BLOCK_ROWS):
            for index, text in enumerate(self._pool.texts(block), start=block.start):
                key = _spaced(text)
                if key in wanted:
                    found.setdefault(key, index)
        return found

    def _read_texts(self, lines: Iterable[Answered]) -> dict[int, str]:
        """Read the texts of all items that lines with a text may be about."""
        wanted: set[int] = set()
        for line in lines:
            if line.text:
                said = line.decision
                place = (-1 if said.batch is None else said.batch, line.rank or 0)
                rows = (self._by_place.get(place), self._by_id.get((said.item_id, said.batch)))
                wanted |= {row.item_index for row in rows if row is not None}
                wanted |= {self._indices[name] for name in [said.item_id] if name in self._indices}
        indices = sorted(wanted)
        return dict(zip(indices, self._pool.texts(indices), strict=True))


def settle(
    found: Sequence[MatchedDecision], unit: str
) -> Iterator[tuple[MatchedDecision, str | None]]:
    """Say of the lines of a file which one counts where a reviewer answers an item twice.

    The first does when the answers are the same; when they differ, none of them does.

    Yields:
        Each that counts with None, and each that does not for its difference with a sentence.
    """
    together: dict[tuple[int, str], list[MatchedDecision]] = {}
    for each in found:
        together.setdefault((each.index, each.decision.reviewer), []).append(each)
    for same in together.values():
        if len({(each.decision.action, each.decision.value) for each in same}) == 1:
            yield same[0], None
            continue
        told = "; ".join(f"{_answer(e.decision)} on {unit} {e.decision.line}" for e in same[:5])
        name = same[0].decision.item_id
        reason = f"item {_shown(name)} has different answers: {told}. Keep one of them."
        yield from ((each, reason) for each in same)


def same_text(written: str, text: str) -> bool:
    """Tell whether a text is that of an item, whatever a program did to blanks and signs.

    >>> same_text("'=1+1", "=1+1"), same_text("A  cat", "a cat."), same_text("a", "b")
    (True, True, False)
    """
    one, other = _letters(written), _letters(text)
    return one == other or (len(one) >= CUT and other.startswith(one))


def contrary(written: str, text: str) -> bool:
    """Tell whether a text is surely not that of an item, though the id is.

    >>> contrary("the cat sat here", "a dog ran off"), contrary("01. Feb", "1/2")
    (True, False)
    """
    one, other = (set(re.findall(r"\w+", each.casefold())) for each in (written, text))
    least = min(len(one), len(other))
    return least >= TELLING and 2 * len(one & other) < least


def _accepted(found: MatchedDecision, line: Answered) -> MatchedDecision | str:
    """Put the label that was shown, by the database, in the place of `accept`."""
    if not line.accepts:
        return found
    shown = found.shown
    if shown is not None and shown.blind:
        return "the line is blind, so it has no proposal to accept; fill `label`."
    proposed = None if shown is None else shown.proposed
    if proposed is None:
        return "there is no proposal to accept; fill `label`."
    given = found.decision.value
    if given not in ((), proposed):
        return (
            f"action accepts {in_words(proposed)!r} but label is {in_words(given)!r}; leave one of"
            " them empty."
        )
    return replace(found, decision=replace(found.decision, value=proposed))


def _answer(decision: Decision) -> str:
    return repr(in_words(decision.value)) if decision.action == "label" else decision.action


def _letters(text: str) -> str:
    letters = "".join(filter(str.isalnum, text.casefold()))
    return letters or text.strip().removeprefix("'")


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")
