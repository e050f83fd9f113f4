"""What the screen asks for and tells: the seam between the web pages and the loop."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Protocol

from pydantic import ConfigDict, Field

from hilt.types import Candidate, Part, Value

MAX_PARTS = 10_000  # of an answer
Act = Literal["label", "skip", "flag", "undo"]
Key = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[!-~]+$")]
Item = Annotated[int, Field(ge=0, lt=2**53)]  # its place in the pool; no database takes any number
Method = Literal["majority", "skill"]
Fields = tuple[tuple[str, str], ...]  # what is seen of an item: names and texts, in their order


@dataclass(frozen=True, slots=True)
class Person:
    """Who sits at the screen.

    Attributes:
        seal: Changes when the token does, so that old sessions end.
    """

    name: str
    adjudicator: bool
    seal: str


@dataclass(frozen=True, slots=True)
class Guide:
    """A label with what it means, as Markdown."""

    name: str
    description: str
    guideline: str


@dataclass(frozen=True, slots=True)
class Task:
    """What is the same for every item.

    Attributes:
        name: Of the task.
        part: What of the page is the task's, one of `parts.PARTS`; None where answers come by file.
        workspace: Names the workspace to a browser that may have seen another at this address.
        labels: In the order in which they are always shown.
        introduction: What reviewers should know first, as Markdown.
    """

    title: str
    name: str
    part: str | None
    workspace: str
    labels: tuple[Guide, ...]
    introduction: str


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item as one reviewer may see it.

    Attributes:
        item: Its place in the pool.
        fields: What they see of it.
        proposal: What is proposed, the likeliest first; empty when the item is blind.
        proposed: The answer that this comes to; None when the item is blind, or there is none.
        reason: Why it was picked, in one sentence; None when the item is blind.
        act: What this reviewer did before, when they come back to it.
        said: The answer that they gave then.
        comment: The comment that went with it.
    """

    item: int
    fields: Fields
    blind: bool
    proposal: tuple[Candidate, ...]
    reason: str | None
    proposed: Value | None = None
    act: str | None = None
    said: Value | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """What a reviewer has in hand.

    Attributes:
        kept: Those of the items they held that are still theirs.
        items: What they are given beside those.
    """

    kept: tuple[int, ...]
    items: tuple[ShownItem, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reviewer did, as the page sends it; pydantic checks it on the way in.

    Attributes:
        key: Made by the page; the same answer sent twice has the same key.
        value: The answer, for the act "label".
        seconds: Active time on the item.
        withdraws: The key of the answer that is taken back, for the act "undo".
        bulk: Whether it was one of many, accepted together.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    key: Key
    item: Item
    act: Act
    value: Annotated[tuple[Part, ...], Field(max_length=MAX_PARTS)] | None = None
    seconds: Annotated[float, Field(ge=0, le=24 * 3600, allow_inf_nan=False)] | None = None
    comment: Annotated[str, Field(max_length=10_000)] = ""
    withdraws: Key | None = None
    bulk: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an answer: stored for good, or refused with a reason."""

    key: str
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """An earlier answer that still stands, with its item."""

    key: str
    shown: ShownItem


@dataclass(frozen=True, slots=True)
class ReviewProgress:
    """How far the work is.

    Attributes:
        total: Items that are asked about now.
        done: Those that need nobody any more.
        left: Those that this reviewer may still be asked about.
        mine: Decisions of this reviewer that stand.
        per_hour: Items an hour at this reviewer's recent pace, by active time; None at first.
        accuracy: A sentence on how often the proposals are right, by the blind items; empty before
            the first.
        disputes: Items that reviewers disagree on.
        refill: What the background is doing about more items, or what came of it; empty when
            nothing.
        busy: Whether it is at work.
    """

    total: int
    done: int
    left: int
    mine: int
    per_hour: float | None
    accuracy: str
    disputes: int
    refill: str
    busy: bool


@dataclass(frozen=True, slots=True)
class Next:
    """What comes after the items that are asked about now.

    Attributes:
        why: A sentence on where the work stands, or nothing.
        command: What to type in a terminal, or nothing.
        does: What that does, as the end of a sentence that begins with it.
        button: What is written on the button that does it here; nothing for no button.
        makes_batch: Whether it brings more items.
    """

    why: str
    command: str = ""
    does: str = ""
    button: str = ""
    makes_batch: bool = False

    def only_told(self) -> Next:
        """Leave out what is to be done, for who is not to decide that."""
        return replace(self, command="", does="", button="")


@dataclass(frozen=True, slots=True)
class WorkSummary:
    """What a reviewer did about the items that are asked about now, and what comes next.

    Attributes:
        answered: Items that they answered.
        changed: Of those, how many got another label than the one that was shown.
        skipped: Of those, how many they skipped.
        flagged: Of those, how many they flagged.
        seconds: Active time on them.
        elsewhere: Items that others have in hand, or are still to be asked about.
        live: Whether more items are selected in the background by themselves.
        next: What comes next; None where nothing does until others have decided.
    """

    answered: int
    changed: int
    skipped: int
    flagged: int
    seconds: float
    elsewhere: int
    live: bool
    next: Next | None


@dataclass(frozen=True, slots=True)
class BulkGroup:
    """Items that are proposed alike, nearest to the first one first.

    Attributes:
        name: What they share, such as the label.
    """

    name: str
    items: tuple[ShownItem, ...]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one reviewer said of an item that others see otherwise.

    Attributes:
        said: The answer in words, or what was done instead of giving one.
        value: The answer, where there is one.
    """

    reviewer: str
    said: str
    value: Value | None
    comment: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """An item on which reviewers disagree, with what they see of it."""

    item: int
    fields: Fields
    opinions: tuple[Opinion, ...]


class Desk(Protocol):
    """Hands out items and takes in answers; everything about one workspace."""

    @property
    def task(self) -> Task:
        """What is the same for every item."""
        ...

    @property
    def secret(self) -> bytes:
        """A secret of the workspace, by which sessions are sealed."""
        ...

    async def start(self) -> None:
        """Read where the work stands; before anything else."""
        ...

    async def stop(self) -> None:
        """Write what waits and let go."""
        ...

    async def refresh(self) -> None:
        """Learn what changed elsewhere; before each request, so that it is quick mostly."""
        ...

    def local(self) -> Person | None:
        """Say who sits at this machine without a token; nobody once a reviewer was added."""
        ...

    def admit(self, token: str) -> Person | None:
        """Find whose token it is."""
        ...

    def person(self, name: str) -> Person | None:
        """Find a reviewer by name."""
        ...

    async def serve(self, person: Person, holding: Collection[int], count: int) -> Served:
        """Give a reviewer items until they hold `count`, and renew their claims."""
        ...

    async def release(self, person: Person, items: Collection[int]) -> None:
        """Take items back that a reviewer leaves undecided, so that others may have them."""
        ...

    async def record(self, person: Person, answers: Sequence[Answer]) -> list[Receipt]:
        """Store answers in their order, and return once they are safe."""
        ...

    def past(self, person: Person, before: str | None, count: int) -> list[PastAnswer]:
        """List a reviewer's latest answers before the one of key `before`, newest first."""
        ...

    async def group(self, person: Person, skipped: Collection[int]) -> BulkGroup | None:
        """Give a reviewer many items at once; `skipped` are first items of groups passed over."""
        ...

    def disputes(self) -> list[Dispute]:
        """List the items on which reviewers disagree and that nobody settled."""
        ...

    async def adjudicate(self, person: Person, answers: Sequence[Answer]) -> list[Receipt]:
        """Store what settles disagreements, or takes that back."""
        ...

    def doubt_of_skill(self) -> str:
        """Say whose skill is too little known to settle by it; empty where nobody's is."""
        ...

    async def settle(self, method: Method) -> int:
        """Settle every disagreement that a rule can, and return how many."""
        ...

    def standing(self, person: Person) -> ReviewProgress:
        """Say how far the work is."""
        ...

    async def summary(self, person: Person) -> WorkSummary:
        """Say what a reviewer did, and what comes next; for when they have nothing in hand."""
        ...

    def begin_next(self) -> None:
        """Begin what comes next, unless that has begun."""
        ...
