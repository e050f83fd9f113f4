"""The vectors of a pool: what would make them now, and whether those on disk are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hilt.files import read_object, write_json
from hilt.pipeline.configuration.embedder import Embedder as EmbedderSection
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.workspace.arrays import MEASURED, ArrayFile, fingerprint
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.proposers.base import Embedder
from hilt.proposers.guarded import make_embedder
from hilt.proposers.models.encoder import encoder_versions

SEEN = "seen"  # under what was measured: settings and files for which it was found current
IN_WORDS = {  # what of an embedder's fingerprint a user can set
    "model": "embedder.model",
    "revision": "embedder.revision",
    "precision": "embedder.precision",
    "max_tokens": "embedder.max_tokens",
    "prompt": "embedder.prompt",
}


def load_embedder(files: WorkspaceFiles) -> Embedder:
    """Build the configured embedder; its model opens on first use."""
    section = files.config.embedder
    return make_embedder(section.kind, files.device, section.arguments)


def embeddings_maker(
    section: EmbedderSection, embedder: Embedder, pool: Pool, file: ArrayFile
) -> dict[str, Any]:
    """Say what makes the embeddings of a pool under the present configuration.

    Where `file` holds those of the same encoder (its folder may have been moved, or be spelt
    differently), what made them is given, so that they are current, and whatever rests on them.
    The encoder is only opened where its settings or files are not those that were seen before; one
    that is gone from this machine cannot have changed.
    """
    made = file.made_of() or {}
    if "embedder" not in made or not _was_seen(section, file):
        found = dict(embedder.fingerprint)
        if "embedder" not in made or embedder_changes(section, made["embedder"], found):
            return {"embedder": found, "pool": pool.fingerprint}
    return {"embedder": made["embedder"], "pool": pool.fingerprint}


def embedder_changes(
    section: EmbedderSection, made: Mapping[str, str], found: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    """List what of an embedder's fingerprint is not as it was, with both values.

    Weights are known by their checksum, whatever their name, and by name where one side has none.
    Older versions did not look at the files beside them. `precision: auto` takes any precision.
    """
    if "checksum" in made and "checksum" in found:
        passed_over = {"model", "revision", *(("files",) if "files" not in made else ())}
    else:
        passed_over = {"checksum", "files"}
    if section.precision == "auto":
        passed_over.add("precision")
    names = dict.fromkeys([*made, *found])
    return {
        name: (made.get(name, ""), found.get(name, ""))
        for name in names
        if name not in passed_over and made.get(name, "") != found.get(name, "")
    }


def changes_in_words(
    changes: Mapping[str, tuple[str, str]], made: Mapping[str, str], found: Mapping[str, str]
) -> str:
    """Say what changed in an embedder, as a clause: what was what, and is what."""
    named = {name: both for name, both in changes.items() if name in IN_WORDS}
    if changes.keys() & {"checksum", "files"}:
        if made.get("model") == found.get("model"):
            return f"the files of {found.get('model')} changed"
        named = {"model": (made.get("model", ""), found.get("model", "")), **named}
    clauses = [
        f"{IN_WORDS[name]} was {_shown(name, was)} and is {_shown(name, now)}"
        for name, (was, now) in named.items()
    ]
    return ", ".join(clauses) or "the embedder changed"


def _shown(name: str, value: str) -> str:
    return value if name in ("max_tokens", "precision") else repr(value)


def remember(section: EmbedderSection, file: ArrayFile) -> None:
    """Write down beside embeddings that they are current for the settings and files as they are."""
    seen, record = _seen(section), read_object(file.maker_path)
    if record is not None and seen["files"] and file.measured().get(SEEN) != seen:
        write_json(file.maker_path, {**record, MEASURED: {**file.measured(), SEEN: seen}})


def _was_seen(section: EmbedderSection, file: ArrayFile) -> bool:
    """Tell whether the embedder has the settings and files for which `remember` was called."""
    then, now = file.measured().get(SEEN), _seen(section)
    if not isinstance(then, dict) or section.is_own:
        return False
    return now["settings"] == then.get("settings") and now["files"] in ("", then.get("files"))


def _seen(section: EmbedderSection) -> dict[str, str]:
    """Hash the settings of the embedder, and which files it has; empty where there are none."""
    unimportant = ("batch_tokens", "description_prompt")
    settings = {name: each for name, each in section.arguments.items() if name not in unimportant}
    versions = () if section.is_own else encoder_versions(section.model, section.revision)
    return {"settings": fingerprint(settings), "files": fingerprint(versions) if versions else ""}
