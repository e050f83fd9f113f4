"""What on disk another configuration made than the present one: the one place that knows.

Labels that came since make nothing outdated: a proposer that learns, and the student, know some
labels and not yet others. What is missing altogether is not outdated either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hilt.errors import HiltError
from hilt.files import read_object
from hilt.own_code import shortened
from hilt.pipeline.duplicates.groups_on_disk import EMBEDDINGS_CHANGED, why_groups_differ
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.embedding import changes_in_words, embedder_changes
from hilt.pipeline.proposing.members import Member, unlearnt
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.students.saved import MADE_BY
from hilt.pipeline.workspace.arrays import fingerprint
from hilt.pipeline.workspace.student_seal import RECORD
from hilt.pipeline.workspace.tables import TrainingRow

EMBEDDINGS, GROUPS, FUSED = "The embeddings", "The near-duplicates", "The fused proposals"
PARTS_CHANGED = "what they are fused from has changed"
OF = "of"  # under what was measured of the fused proposals: a hash of all that they rest on
MAX_VALUE_LENGTH = 60  # characters that a sentence shows of a setting


@dataclass(frozen=True, slots=True)
class Outdated:
    """Something on disk that is not what the present configuration would make.

    Attributes:
        what: What it is.
        why: What changed, in a clause.
        member: The proposer whose proposals they are, if they are one's.
    """

    what: str
    why: str
    member: Member | None = None

    def __str__(self) -> str:
        verb = "is" if self.what.startswith("The student") else "are"
        return f"{self.what} {verb} from another configuration: {self.why}"


Look = tuple[list[Outdated], Outdated | None]  # what is outdated, and how the student is


def outdated(panel: Panel) -> list[Outdated]:
    """List what is outdated, each thing before those that rest on it; the student is apart."""
    found = []
    if why := _why_embed(panel):
        found.append(Outdated(EMBEDDINGS, why))
    if why := why_groups_differ(panel.files):
        found.append(Outdated(GROUPS, why))
    for member in panel.members:
        if member.is_outdated:
            found.append(Outdated(f"The proposals of {member.name!r}", _why_ask(member), member))
    if not _is_fused(panel):
        found.append(Outdated(FUSED, PARTS_CHANGED))
    return found


def outdated_student(panel: Panel, training: TrainingRow) -> Outdated | None:
    """Say how a student is outdated; None where it is not, or is gone from the disk."""
    what = f"The student of cycle {training.cycle}"
    record = read_object(panel.files.student_folder(training.cycle) / RECORD)
    if record is None:
        return None
    made_by, now = record.get(MADE_BY), student_maker(panel)
    if not isinstance(made_by, dict):
        why = _why_train_older(panel, record)
    elif why := _why_read_anew(panel, made_by):
        pass
    elif made_by["labels"] != now["labels"]:
        why = _labels_in_words(made_by["labels"], now["labels"])
    else:
        why = _settings_in_words("student.", made_by["student"], now["student"])
    return Outdated(what, why) if why else None


def reads_other_vectors(panel: Panel, training: TrainingRow) -> str:
    """Say in a clause how a student learnt with another embedder; nothing where it did not."""
    folder = panel.files.student_folder(training.cycle)
    record = read_object(folder / RECORD)
    if record is None:
        return ""
    made_by = record.get(MADE_BY)
    if not isinstance(made_by, dict):
        return _why_train_older(panel, record)
    return _why_read_anew(panel, made_by)


def student_maker(panel: Panel) -> dict[str, Any]:
    """Say what of the configuration, beside the proposers, makes a student."""
    config = panel.files.config
    return {
        "embedder": panel.embeddings["embedder"],
        "description_prompt": config.embedder.description_prompt,
        "labels": [[label.name, label.description] for label in config.label_list],
        "student": config.student.model_dump(mode="json"),
    }


def fused_of(panel: Panel) -> str:
    """Hash what of the configuration makes the fused proposals."""
    makers = {member.name: unlearnt(member.maker) for member in panel.members}
    return fingerprint([makers, panel.embeddings])


def read_outdated(state: LoopState) -> Look:
    """List what is outdated, and how the latest student is, for those who only read.

    What cannot be found out, for an encoder or a module is gone, is not listed.
    """
    made = state.files.embeddings.maker()
    if not state.files.is_proposed or made is None or "embedder" not in made:
        return [], None
    try:
        panel = Panel.of(state)
        student = None if state.training is None else outdated_student(panel, state.training)
        return outdated(panel), student
    except HiltError:
        return [], None


def say_outdated(look: Look) -> tuple[str, ...]:
    """Say in sentences what is outdated."""
    found, student = look
    return tuple(f"{each}." for each in (*causes(found), *([student] if student else ())))


def causes(found: Sequence[Outdated]) -> Sequence[Outdated]:
    """Leave out what is outdated because something else in the list is."""
    return [each for each in found if each.why not in (EMBEDDINGS_CHANGED, PARTS_CHANGED)] or found


def _why_embed(panel: Panel) -> str:
    """Say in a clause why the embeddings of the pool, or of the test set, are outdated."""
    files, now = panel.files, panel.embeddings["embedder"]
    for file in (files.embeddings, files.test_embeddings):
        then = (file.maker() or {}).get("embedder")
        if isinstance(then, dict) and (
            changes := embedder_changes(files.config.embedder, then, now)
        ):
            return changes_in_words(changes, then, now)
    return ""


def _why_ask(member: Member) -> str:
    """Say in a clause why the proposals of a proposer are outdated."""
    made, now = member.made or {}, member.maker
    if settings := _settings_in_words("", made.get("proposer", {}), now["proposer"]):
        return settings
    if made.get("labels") != now["labels"]:
        return _labels_in_words(made.get("labels", []), now["labels"])
    if made.get("code") != now.get("code"):
        return "its own code or rules changed"
    if made.get("embeddings") != now.get("embeddings"):
        return EMBEDDINGS_CHANGED
    if made.get("description_prompt") != now.get("description_prompt"):
        return "embedder.description_prompt changed"
    return "the proposers before it changed"


def _is_fused(panel: Panel) -> bool:
    """Tell whether the fused proposals on disk are of these proposers, whatever they learnt."""
    file = panel.files.fused
    made = file.maker()
    if made is None or "proposals" not in made:
        return True
    of = file.measured().get(OF)
    if of is not None:
        return bool(of == fused_of(panel))
    if made["proposals"] == fingerprint(panel.makers):
        return True
    learns = any(member.learns for member in panel.members)  # an older hilt hashed labels too
    count = len(panel.members) + (made.get("student") is not None)
    return learns and len(made.get("weights", ())) == count


def _why_read_anew(panel: Panel, made_by: Mapping[str, Any]) -> str:
    """Say in a clause how a student's vectors are others than the present ones."""
    now = student_maker(panel)
    changes = embedder_changes(panel.files.config.embedder, made_by["embedder"], now["embedder"])
    if changes:
        return changes_in_words(changes, made_by["embedder"], now["embedder"])
    if made_by.get("description_prompt") != now["description_prompt"]:
        return "embedder.description_prompt changed"
    return ""


def _why_train_older(panel: Panel, record: Mapping[str, Any]) -> str:
    """Do the same for the student of an older hilt, which kept the settings of the embedder."""
    then, section = record.get("embedder"), panel.files.config.embedder
    if not isinstance(then, dict):
        return ""
    now = {"kind": section.kind, **section.arguments}
    weights, found = record.get("embedder_weights"), panel.embeddings["embedder"]
    passed_over = {"batch_tokens"}
    if weights and found.get("checksum"):
        passed_over |= {"model", "revision"}
        if weights != found["checksum"]:
            return f"the weights of {section.model} changed"
    kept = [{k: v for k, v in each.items() if k not in passed_over} for each in (then, now)]
    return _settings_in_words("embedder.", *kept)


def _settings_in_words(prefix: str, made: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Say which settings were what, and are what; one that only the other hilt has is no change."""
    clauses = []
    for name in made.keys() & now.keys() if prefix == "student." else {**made, **now}:
        was, is_ = made.get(name), now.get(name)
        if isinstance(was, dict) and isinstance(is_, dict):
            clauses.append(_settings_in_words(f"{prefix}{name}.", was, is_))
        elif was != is_:
            shown = [shortened(repr(value), MAX_VALUE_LENGTH) for value in (was, is_)]
            clauses.append(f"{prefix}{name} was {shown[0]} and is {shown[1]}")
    return ", ".join(sorted(filter(None, clauses)))


def _labels_in_words(made: list[list[str]], now: list[list[str]]) -> str:
    before = {name: description for name, description in made}
    changed = [name for name, description in now if before.get(name) != description]
    if not changed:
        return "the labels changed"
    return f"the description of {', '.join(map(repr, changed[:3]))} changed"
