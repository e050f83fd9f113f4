"""The desk: who is given what, and what becomes of what they say."""

import asyncio
import time

import pytest

from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.answer_files import record
from hilt.pipeline.reviewing.desk.workspace_desk import WorkspaceDesk
from hilt.pipeline.selecting.explanation import in_words
from hilt.pipeline.workspace.growing import append
from hilt.pipeline.workspace.tables import BatchItemRow
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.review.screen.protocol import Answer
from hilt.types import Decision
from hilt.values import candidates_from_json, value_of
from tests.pipeline.reviewing.desk.conftest import Rehearse, at_desk, person, says


def test_the_screen_gives_the_reason_that_the_command_gives(rehearse: Rehearse) -> None:
    workspace = rehearse()
    explained = [in_words(item) for item in LoopState.read(workspace).batch(1).items]

    async def work(desk: WorkspaceDesk) -> None:
        served = await desk.serve(person(desk, "ann"), [], 12)
        for shown in served.items:
            if not shown.blind:
                assert shown.reason is not None
                assert explained[shown.item].startswith(shown.reason)
                assert shown.reason.startswith("Picked because the models are uncertain: ")

    at_desk(workspace, work)


def test_an_item_without_a_text_is_no_question(rehearse: Rehearse) -> None:
    workspace = rehearse(texts=["one", "", "  \n", "four"], overlap=2)
    gold = [Decision("i1", "label", ("sport",), "gold", kind="gold")]
    said = [
        Decision("i2", "label", (label,), name) for name, label in (("x", "sport"), ("y", "tech"))
    ]
    record(workspace, [*gold, *said])

    async def work(desk: WorkspaceDesk) -> None:
        ann = person(desk, "ann")
        served = await desk.serve(ann, [], 12)
        assert [shown.item for shown in served.items] == [0, 3]
        assert desk.standing(ann).total == 2
        assert desk.standing(ann).disputes == 0
        assert desk.disputes() == []

    at_desk(workspace, work)


@pytest.mark.parametrize("blind", [0, 29, 30])
def test_an_accuracy_is_told_from_30_blind_items_on(rehearse: Rehearse, blind: int) -> None:
    workspace = rehearse(7 * 30)
    items = [item for item in LoopState.read(workspace).batch(1).items if item.blind][:blind]
    said = [
        Decision(each.item_id, "label", (each.proposal[0].label,), "ann", batch=1) for each in items
    ]
    record(workspace, said, blind=True)
    expected = {
        0: "",
        29: "proposals right: too early to say: 29 checked",
        30: "proposals right 100.0% (88.6% to 100.0%; 30 labelled blind)",
    }

    async def work(desk: WorkspaceDesk) -> None:
        assert desk.standing(person(desk, "ann")).accuracy == expected[blind]

    at_desk(workspace, work)


def test_a_blind_label_that_is_overruled_measures_as_what_it_is_settled_to(
    rehearse: Rehearse,
) -> None:
    workspace = rehearse(7 * 30)
    blind = [item for item in LoopState.read(workspace).batch(1).items if item.blind][:30]
    proposed = {item.item_id: item.proposal[0].label for item in blind}
    others = {item.item_id: item.proposal[1].label for item in blind}

    async def first(desk: WorkspaceDesk) -> None:
        assert desk.standing(person(desk, "ann")).accuracy.startswith("proposals right 0.0%")

    async def then(desk: WorkspaceDesk) -> None:
        assert desk.standing(person(desk, "ann")).accuracy.startswith("proposals right 100.0%")

    said = [Decision(name, "label", (label,), "ann", batch=1) for name, label in others.items()]
    record(workspace, said, blind=True)
    at_desk(workspace, first)
    settled = [
        Decision(name, "label", (label,), "dana", kind="adjudication")
        for name, label in proposed.items()
    ]
    record(workspace, settled)
    at_desk(workspace, then)


def test_nobody_is_given_what_another_has_in_hand(rehearse: Rehearse) -> None:
    async def work(desk: WorkspaceDesk) -> None:
        served = await asyncio.gather(
            *(desk.serve(person(desk, name), [], 5) for name in ("ann", "bob"))
        )
        ann, bob = ([shown.item for shown in each.items] for each in served)
        assert (ann, bob) == ([0, 1, 2, 3, 4], [5, 6, 7, 8, 9])

    at_desk(rehearse(), work)


def test_two_server_processes_never_give_an_item_twice(rehearse: Rehearse) -> None:
    workspace = rehearse(40, tuple(f"p{number}" for number in range(8)))

    async def work(desk: WorkspaceDesk) -> None:
        other = WorkspaceDesk(workspace)
        await other.start()
        served = await asyncio.gather(
            *(
                (desk, other)[number % 2].serve(person(desk, f"p{number}"), [], 5)
                for number in range(8)
            )
        )
        await other.stop()
        given = [shown.item for each in served for shown in each.items]
        assert sorted(given) == list(range(40))

    at_desk(workspace, work)


def test_an_item_that_lapsed_goes_to_another_and_is_kept_no_more(rehearse: Rehearse) -> None:
    async def work(desk: WorkspaceDesk) -> None:
        ann, bob = person(desk, "ann"), person(desk, "bob")
        first = await desk.serve(ann, [], 12)
        assert (await desk.serve(bob, [], 12)).items == ()
        await asyncio.sleep(0.31)

        second = await desk.serve(bob, [], 12)

        assert second.items == first.items
        assert (await desk.serve(ann, [shown.item for shown in first.items], 12)).kept == ()

    at_desk(rehearse(claim_minutes=0.3 / 60), work)


def test_asking_again_renews_what_is_held(rehearse: Rehearse) -> None:
    async def work(desk: WorkspaceDesk) -> None:
        ann, bob = person(desk, "ann"), person(desk, "bob")
        await desk.serve(ann, [], 2)
        for _ in range(4):
            await asyncio.sleep(0.15)
            assert (await desk.serve(ann, [0, 1], 2)).kept == (0, 1)

        assert [shown.item for shown in (await desk.serve(bob, [], 2)).items] == [2, 3]

    at_desk(rehearse(claim_minutes=0.3 / 60), work)


def test_what_is_released_is_free_at_once(rehearse: Rehearse) -> None:
    async def work(desk: WorkspaceDesk) -> None:
        await desk.serve(person(desk, "ann"), [], 12)
        await desk.release(person(desk, "ann"), [3, 4])

        served = await desk.serve(person(desk, "bob"), [], 12)

        assert [shown.item for shown in served.items] == [3, 4]

    at_desk(rehearse(), work)


def test_an_answer_sent_again_is_stored_once(rehearse: Rehearse) -> None:
    workspace = rehearse()

    async def work(desk: WorkspaceDesk) -> None:
        ann = person(desk, "ann")
        for answers in ([says(0)], [says(0), says(1)], [says(1), says(1)]):
            receipts = await desk.record(ann, answers)
            assert [each.refused for each in receipts] == [None] * len(answers)
        await asyncio.gather(*(desk.record(ann, [says(2)]) for _ in range(5)))

    at_desk(workspace, work)

    assert [row.item_index for row in workspace.database.decisions()] == [0, 1, 2]


def test_an_answer_known_to_another_process_is_stored_once(rehearse: Rehearse) -> None:
    workspace = rehearse()

    async def work(desk: WorkspaceDesk) -> None:
        other = WorkspaceDesk(workspace)
        await other.start()
        await other.record(person(desk, "ann"), [says(0)])

        receipts = await desk.record(person(desk, "ann"), [says(0), says(1)])

        await other.stop()
        assert [each.refused for each in receipts] == [None, None]

    at_desk(workspace, work)

    assert [row.key for row in workspace.database.decisions()] == ["ann-000000", "ann-000001"]


def test_an_answer_and_its_undo_may_come_together(rehearse: Rehearse) -> None:
    workspace = rehearse()
    undo = Answer("undo-0001", 0, "undo", withdraws="ann-000000")

    async def work(desk: WorkspaceDesk) -> None:
        ann = person(desk, "ann")
        await desk.record(ann, [says(0), undo, says(1)])
        assert desk.standing(ann).done == 1
        assert [past.shown.item for past in desk.past(ann, None, 9)] == [1]
        # It is in her hands again, and in nobody else's.
        assert (await desk.serve(ann, [0], 1)).kept == (0,)
        served = await desk.serve(person(desk, "bob"), [], 1)
        assert served.items[0].item == 2

    at_desk(workspace, work)

    assert [outcome.index for outcome in LoopState.read(workspace).resolved] == [1]


def test_nobody_takes_back_what_another_said(rehearse: Rehearse) -> None:
    async def work(desk: WorkspaceDesk) -> None:
        await desk.record(person(desk, "ann"), [says(0)])
        undo = Answer("undo-0001", 0, "undo", withdraws="ann-000000")

        (receipt,) = await desk.record(person(desk, "bob"), [undo])

        assert receipt.refused == "there is no decision left to undo"

    at_desk(rehearse(), work)


def test_past_answers_are_listed_newest_first_and_page_by_page(rehearse: Rehearse) -> None:
    async def work(desk: WorkspaceDesk) -> None:
        ann = person(desk, "ann")
        await desk.record(ann, [says(item, "sport", comment="so") for item in range(7)])

        first = desk.past(ann, None, 4)
        second = desk.past(ann, first[-1].key, 4)

        assert [past.shown.item for past in (*first, *second)] == [6, 5, 4, 3, 2, 1, 0]
        assert (first[0].shown.said, first[0].shown.comment) == (value_of("sport"), "so")

    at_desk(rehearse(), work)


def test_a_second_opinion_is_blind_and_the_item_is_done_after_it(rehearse: Rehearse) -> None:
    workspace = rehearse(overlap=2)

    async def work(desk: WorkspaceDesk) -> None:
        ann, bob = person(desk, "ann"), person(desk, "bob")
        first = await desk.serve(ann, [], 3)
        await desk.record(ann, [says(0)])
        assert desk.standing(ann).done == 0

        second = await desk.serve(bob, [], 3)
        await desk.record(bob, [says(0, "sport", by="bob")])

        assert [shown.blind for shown in first.items] == [False] * 3
        assert [shown.blind for shown in second.items] == [True] * 3
        assert all(shown.proposal == () and shown.reason is None for shown in second.items)
        assert (desk.standing(bob).done, desk.standing(bob).disputes) == (1, 1)

    at_desk(workspace, work)

    assert [row.blind for row in workspace.database.decisions()] == [False, True]
    assert [row.shown_label is None for row in workspace.database.decisions()] == [False, True]


def test_an_answer_that_comes_while_claims_are_renewed_stays_blind(rehearse: Rehearse) -> None:
    workspace = rehearse(overlap=2)

    async def work(desk: WorkspaceDesk) -> None:
        bob = person(desk, "bob")
        await desk.serve(person(desk, "ann"), [], 3)
        await desk.serve(bob, [], 3)
        await asyncio.gather(desk.serve(bob, [0, 1, 2], 3), desk.record(bob, [says(0, by="bob")]))

    at_desk(workspace, work)

    assert workspace.database.decisions()[0].blind


def test_a_restarted_desk_knows_who_was_shown_what(rehearse: Rehearse) -> None:
    workspace = rehearse(overlap=2)

    async def before(desk: WorkspaceDesk) -> None:
        await desk.serve(person(desk, "ann"), [], 1)
        await desk.serve(person(desk, "bob"), [], 1)

    async def after(desk: WorkspaceDesk) -> None:
        await desk.record(person(desk, "bob"), [says(0, by="bob")])

    at_desk(workspace, before)
    at_desk(workspace, after)

    assert workspace.database.decisions()[0].blind


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_share_that_measures_anchoring_is_blind_and_no_audit(
    rehearse: Rehearse, share: float
) -> None:
    workspace = rehearse(blind_share=share)

    async def work(desk: WorkspaceDesk) -> None:
        served = await desk.serve(person(desk, "ann"), [], 5)
        assert [shown.blind for shown in served.items] == [share == 1.0] * 5
        await desk.record(person(desk, "ann"), [says(0)])

    at_desk(workspace, work)

    (row,) = workspace.database.decisions()
    assert (row.blind, row.audit) == (share == 1.0, False)


def test_what_is_left_is_counted_for_each_reviewer(rehearse: Rehearse) -> None:
    workspace = rehearse(overlap=2)

    async def work(desk: WorkspaceDesk) -> None:
        ann, bob = person(desk, "ann"), person(desk, "bob")
        await desk.record(ann, [says(item) for item in range(12)])
        assert (desk.standing(ann).left, desk.standing(bob).left) == (0, 12)
        await desk.record(bob, [says(item, by="bob") for item in range(3)])
        assert (desk.standing(ann).left, desk.standing(bob).left) == (0, 9)
        await desk.record(ann, [Answer("undo-0001", 1, "undo", withdraws="ann-000001")])
        await desk.record(bob, [Answer("undo-0002", 2, "undo", withdraws="bob-000002")])
        assert (desk.standing(ann).left, desk.standing(bob).left) == (1, 10)

    at_desk(workspace, work)


def test_a_summary_tells_what_one_reviewer_did(rehearse: Rehearse) -> None:
    workspace = rehearse()
    proposed = [row.proposal[0].label for row in workspace.database.batch_items()]
    other = next(label for label in workspace.config.label_names if label != proposed[1])

    async def work(desk: WorkspaceDesk) -> None:
        ann, bob = person(desk, "ann"), person(desk, "bob")
        await desk.serve(ann, [], 12)
        answers = [
            says(0, proposed[0], seconds=30),
            says(1, other, seconds=20),
            Answer("ann-000002", 2, "skip", seconds=5),
            Answer("ann-000003", 3, "flag", seconds=4),
            says(4, proposed[4], seconds=3),
            Answer("undo-00004", 4, "undo", withdraws="ann-000004", seconds=2),
            Answer("ann-000005", 4, "skip", seconds=1),
        ]
        await desk.record(ann, answers)

        did = await desk.summary(ann)
        assert (did.answered, did.changed, did.skipped, did.flagged) == (5, 1, 2, 1)
        assert (did.seconds, did.elsewhere, did.live) == (65, 7, False)
        assert (await desk.summary(bob)).answered == 0

    at_desk(workspace, work)


def test_somebody_alone_counts_what_they_are_asked_again(rehearse: Rehearse) -> None:
    from hilt.pipeline.reviewing.reviewers import add_reviewer

    workspace = rehearse(people=(), bulk_check=1.0)

    async def work(desk: WorkspaceDesk) -> None:
        somebody = person(desk, "reviewer")
        await desk.record(somebody, [says(0, bulk=True)])
        assert desk.standing(somebody).left == 12

        for name in ("reviewer", "bob"):
            add_reviewer(workspace, name)
        await asyncio.sleep(1.01)
        await desk.refresh()
        assert desk.standing(person(desk, "reviewer")).left == 11

    at_desk(workspace, work)


def test_gold_items_come_blind_and_each_once(rehearse: Rehearse) -> None:
    workspace = rehearse(20, gold_share=0.5)
    known = [
        Decision(f"i{item}", "label", ("sport",), "gold", kind="gold") for item in range(15, 20)
    ]
    record(workspace, known)

    async def work(desk: WorkspaceDesk) -> None:
        ann = person(desk, "ann")
        seen: list[int] = []
        for _ in range(20):
            served = await desk.serve(ann, [], 1)
            if not served.items:
                break
            (shown,) = served.items
            assert shown.item < 15 or shown.blind
            seen.append(shown.item)
            await desk.record(ann, [says(shown.item, "tech")])
        assert sorted(seen)[:15] == list(range(15))
        assert len(set(seen)) == len(seen) > 15

    at_desk(workspace, work)

    outcomes = {outcome.index: outcome.value for outcome in LoopState.read(workspace).resolved}
    assert {outcomes[item] for item in range(15, 20)} == {value_of("sport")}


def test_a_group_shares_its_label_nearest_first_without_blind_items(rehearse: Rehearse) -> None:
    workspace = rehearse(60)
    rows = {row.item_index: row for row in workspace.database.batch_items()}

    async def work(desk: WorkspaceDesk) -> None:
        group = await desk.group(person(desk, "ann"), frozenset())
        assert group is not None
        items = [shown.item for shown in group.items]
        vectors = workspace.embeddings.open()[items].astype(float)
        cosines = vectors @ vectors[0]
        assert len(items) > 3
        assert all(rows[item].proposal[0].label == group.name for item in items)
        assert not any(rows[item].blind for item in items)
        assert (cosines[:-1] >= cosines[1:] - 1e-3).all()
        other = await desk.group(person(desk, "ann"), {items[0]})
        assert other is not None
        assert other.items[0].item != items[0]

    at_desk(workspace, work)


def test_what_was_accepted_in_bulk_and_taken_back_comes_in_bulk_again(rehearse: Rehearse) -> None:
    async def work(desk: WorkspaceDesk) -> None:
        ann = person(desk, "ann")
        group = await desk.group(ann, frozenset())
        assert group is not None
        accepted = [says(shown.item, group.name, bulk=True) for shown in group.items]
        await desk.record(ann, accepted)
        taken_back = [
            Answer(f"undo-{each.key}", each.item, "undo", withdraws=each.key) for each in accepted
        ]
        receipts = await desk.record(ann, taken_back)

        assert {receipt.refused for receipt in receipts} == {None}
        assert await desk.group(ann, frozenset()) == group

    at_desk(rehearse(60), work)


def test_second_opinions_are_not_given_in_bulk(rehearse: Rehearse) -> None:
    async def work(desk: WorkspaceDesk) -> None:
        first = await desk.group(person(desk, "ann"), frozenset())
        second = await desk.group(person(desk, "bob"), frozenset())
        assert first is not None
        assert second is not None
        assert not {each.item for each in first.items} & {each.item for each in second.items}

    at_desk(rehearse(60, overlap=2), work)


def test_a_share_of_what_was_decided_in_bulk_is_asked_again_of_another(rehearse: Rehearse) -> None:
    workspace = rehearse(bulk_check=1.0)

    async def work(desk: WorkspaceDesk) -> None:
        ann, bob = person(desk, "ann"), person(desk, "bob")
        await desk.record(ann, [says(0, bulk=True), says(1, bulk=True)])
        assert desk.standing(ann).done == 0
        assert 0 not in [shown.item for shown in (await desk.serve(ann, [], 3)).items]

        served = await desk.serve(bob, [], 2)
        await desk.record(bob, [says(0, by="bob")])

        assert [(shown.item, shown.blind) for shown in served.items] == [(0, True), (1, True)]
        assert desk.standing(bob).done == 1

    at_desk(workspace, work)

    assert [row.kind for row in workspace.database.decisions()] == ["bulk", "bulk", "check"]


def test_somebody_alone_is_asked_again_themselves(rehearse: Rehearse) -> None:
    async def work(desk: WorkspaceDesk) -> None:
        somebody = person(desk, "reviewer")
        await desk.record(somebody, [says(0, bulk=True)])

        served = await desk.serve(somebody, [], 1)

        assert (served.items[0].item, served.items[0].blind) == (0, True)

    at_desk(rehearse(people=(), bulk_check=1.0), work)


def test_a_token_opens_for_whom_it_was_made(rehearse: Rehearse) -> None:
    from hilt.pipeline.reviewing.reviewers import add_reviewer

    workspace = rehearse()
    token = add_reviewer(workspace, "cleo", adjudicator=True)

    async def work(desk: WorkspaceDesk) -> None:
        found = desk.admit(token)
        assert found is not None
        assert (found.name, found.adjudicator) == ("cleo", True)
        assert desk.admit(token + "x") is None
        assert desk.person("reviewer") is None

    at_desk(workspace, work)


def test_what_is_imported_meanwhile_is_done(rehearse: Rehearse) -> None:
    workspace = rehearse()

    async def work(desk: WorkspaceDesk) -> None:
        record(workspace, [Decision("i0", "label", ("tech",), "file")])
        await asyncio.sleep(1.01)
        await desk.refresh()

        served = await desk.serve(person(desk, "ann"), [], 1)

        assert served.items[0].item == 1

    at_desk(workspace, work)


def test_ten_thousand_items_are_served_quickly(rehearse: Rehearse) -> None:
    async def work(desk: WorkspaceDesk) -> None:
        ann = person(desk, "ann")
        await desk.record(ann, [says(item) for item in range(0, 3000, 2)])
        started = time.monotonic()
        for _ in range(10):
            await desk.serve(ann, [], 16)
        assert (time.monotonic() - started) / 10 < 0.2

    at_desk(rehearse(10_000), work)


def asked_again(workspace: Workspace) -> None:
    """Let ann say something about three items, and a new batch ask about two of them again."""
    store = workspace.database
    ids = workspace.pool.ids(slice(0, 3))
    record(workspace, [Decision(item_id, "label", ("tech",), "ann", 1) for item_id in ids])
    rows = [
        BatchItemRow(
            rank=rank,
            item_index=index,
            item_id=ids[index],
            reason="recheck",
            score=0.9,
            blind=False,
            proposal=candidates_from_json([["sport", 0.9], ["tech", 0.1]]),
        )
        for rank, index in enumerate((0, 1))
    ]
    store.add_batch(1, {"kind": "rehearsal"}, rows)


def test_a_recheck_goes_to_whoever_decided_it_before(rehearse: Rehearse) -> None:
    workspace = rehearse(people=("ann",))
    asked_again(workspace)

    async def work(desk: WorkspaceDesk) -> None:
        ann = person(desk, "ann")
        served = await desk.serve(ann, [], 12)
        assert [shown.item for shown in served.items] == [0, 1]
        assert [shown.proposal[0].label for shown in served.items] == ["sport", "sport"]
        assert desk.standing(ann).done == 0

        await desk.record(ann, [says(0, "tech"), says(1, "sport")])

        assert desk.standing(ann).done == 2
        assert (await desk.serve(ann, [], 12)).items == ()

    at_desk(workspace, work)


def test_a_recheck_goes_to_one_reviewer_and_to_another_blind(rehearse: Rehearse) -> None:
    workspace = rehearse()
    asked_again(workspace)

    async def work(desk: WorkspaceDesk) -> None:
        ann, bob = person(desk, "ann"), person(desk, "bob")
        served = await desk.serve(bob, [], 1)
        assert [(shown.item, shown.blind) for shown in served.items] == [(0, True)]
        assert [shown.item for shown in (await desk.serve(ann, [], 12)).items] == [1]

        await desk.record(bob, [says(0, "sport", by="bob")])

        assert desk.standing(bob).done == 1
        assert desk.standing(bob).disputes == 1

    at_desk(workspace, work)


def test_an_undone_recheck_is_asked_again(rehearse: Rehearse) -> None:
    workspace = rehearse(people=("ann",))
    asked_again(workspace)

    async def work(desk: WorkspaceDesk) -> None:
        ann = person(desk, "ann")
        await desk.serve(ann, [], 12)
        await desk.record(ann, [says(0, "sport")])
        undo = Answer("undo", 0, "undo", withdraws="ann-000000")
        await desk.record(ann, [undo])

        assert desk.standing(ann).done == 0
        assert (
            LoopState.read(workspace).undecided(LoopState.read(workspace).batch(2)).items[0].index
            == 0
        )

    at_desk(workspace, work)


def test_a_desk_serves_items_that_were_appended_meanwhile(rehearse: Rehearse) -> None:
    workspace = rehearse()
    known_by = WorkspaceDesk(workspace).task.workspace

    async def work(desk: WorkspaceDesk) -> None:
        with (workspace.folder.parent / "pool.csv").open("a", encoding="utf-8") as file:
            file.write("new,what came later\nnone,\n")
        append(workspace.folder)
        new = [
            BatchItemRow(
                rank=rank,
                item_index=12 + rank,
                item_id=item_id,
                reason="uncertain",
                score=0.5,
                blind=False,
                proposal=[],
            )
            for rank, item_id in enumerate(["new", "none"])
        ]
        workspace.database.add_batch(0, {"kind": "rehearsal"}, new)
        await asyncio.sleep(1.01)
        await desk.refresh()

        served = await desk.serve(person(desk, "ann"), [], 4)

        assert [(shown.item, shown.fields) for shown in served.items] == [
            (12, (("text", "what came later"),))
        ]

    at_desk(workspace, work)
    assert WorkspaceDesk(open_workspace(workspace.folder)).task.workspace == known_by
