"""Groups of real texts, by real embeddings."""

from collections.abc import Callable

import numpy as np

from hilt.pipeline.duplicates.grouping import make_groups
from hilt.pipeline.duplicates.groups_on_disk import are_groups_current
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.workspace.workspace import Workspace

STORY = (
    "The old lighthouse keeper walked down to the harbour every morning before the sun had risen,"
    " counted the boats that were still out at sea, lit his pipe, and told whoever would listen"
    " how the great storm of his youth had carried the church bell over the cliff and into the bay,"
    " where on quiet nights one can hear it ring."
)

Copies = Callable[..., Workspace]


def group_of(workspace: Workspace, item_id: str) -> set[str]:
    groups = np.asarray(workspace.groups)
    (index,) = workspace.pool.index_of([item_id])
    return set(workspace.pool.ids(np.flatnonzero(groups == groups[index])))


FOOTER = (
    "This e-mail and any attachments are confidential and intended solely for the addressee. If you"
    " have received this message in error please notify the sender immediately and delete it from"
    " your system. Any unauthorised copying, disclosure or distribution of the material in this"
    " e-mail is strictly forbidden. Northwind Trading GmbH, registered office Hamburg, managing"
    " directors Ann Lee and Bo Kim, commercial register HRB 12345."
)


def test_a_footer_that_all_have_makes_no_near_duplicates(
    new_workspace: Callable[..., Workspace],
) -> None:
    bodies = [
        f"{asked} the {thing}."
        for asked in ("I never got", "Where is", "I want to send back", "Who can repair")
        for thing in ("kettle", "yoga mat", "winter coat", "lamp", "toaster")
    ]
    mails = [(f"mail-{place}", f"{body} {FOOTER}", "") for place, body in enumerate(bodies)]
    copies = [("story", f"{STORY} {FOOTER}", ""), ("copy", f"{STORY} Well! {FOOTER}".upper(), "")]
    workspace = new_workspace(extra=[*mails, *copies])
    propose(workspace)

    assert [len(group_of(workspace, item_id)) for item_id, _, _ in mails] == [1] * len(mails)
    assert group_of(workspace, "story") == {"story", "copy"}


def test_many_near_duplicates_make_one_group(copies: Copies) -> None:
    group = group_of(copies(), "cat-0")

    assert group == {"cat-0", *(f"copy-{number}" for number in range(36))}


def test_what_differs_in_a_word_stands_alone(copies: Copies) -> None:
    workspace = copies()

    for item_id in ("other-0", "other-1", "dog-0", "soup-0"):
        assert group_of(workspace, item_id) == {item_id}


def test_a_representative_represents_itself(copies: Copies) -> None:
    groups = np.asarray(copies().groups)

    assert (groups[groups] == groups).all()
    assert groups.dtype == np.int32


def test_of_many_edited_copies_the_text_itself_represents(
    new_workspace: Callable[..., Workspace],
) -> None:
    words = STORY.split()
    edits = [
        (f"edit-{place}", " ".join([*words[:place], f"word{place}", *words[place + 1 :]]), "")
        for place in range(len(words))
    ]
    workspace = new_workspace(extra=[*edits, ("story", STORY, "")])
    propose(workspace)

    (index,) = workspace.pool.index_of(["story"])
    assert workspace.groups[index] == index
    assert len(group_of(workspace, "story")) >= len(edits)


def test_without_near_duplicates_only_the_same_text_makes_a_group(copies: Copies) -> None:
    workspace = copies(near=False)

    assert group_of(workspace, "cat-0") == {"cat-0"}
    assert are_groups_current(workspace)
    assert not make_groups(workspace)


def test_copies_of_a_text_keep_nobody_from_its_near_duplicates(
    new_workspace: Callable[..., Workspace],
) -> None:
    # more copies of both than an item has neighbours in the graph
    copies = {
        "twin": "The CAT slept  in its den all day.",
        "near": "All day the cat slept in its den.",
    }
    extra = [
        (f"{name}-{number}", text, "animals")
        for name, text in copies.items()
        for number in range(30)
    ]
    workspace = new_workspace(extra=extra)
    propose(workspace)

    assert group_of(workspace, "cat-0") == {"cat-0", *(item_id for item_id, _, _ in extra)}


def test_other_thresholds_make_other_groups_the_same_do_not(copies: Copies) -> None:
    workspace = copies()
    group_before = group_of(workspace, "cat-0")
    assert are_groups_current(workspace)
    assert not make_groups(workspace)

    stricter = copies(cosine=1.0)
    assert not are_groups_current(stricter)
    assert make_groups(stricter)
    assert are_groups_current(stricter)
    assert group_of(stricter, "cat-0") < group_before
