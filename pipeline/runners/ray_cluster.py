"""How hilt reaches a Ray cluster: one that stands already, or a small one on this machine."""

from __future__ import annotations

import importlib.util
import os
import secrets
import socket
from typing import Any

from hilt.errors import MissingExtraError, RunnerError
from hilt.extras import pip_install
from hilt.own_code import shortened

# Read by Ray when it is imported, and by the processes that it starts.
ALONE = {
    "RAY_AUTH_MODE": "token",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # of one machine: it listens on 127.0.0.1 only
    "RAY_USAGE_STATS_ENABLED": "0",
}
KNOCK_SECONDS = 10.0
QUIET = {"log_to_driver": False, "configure_logging": False}


def connect(address: str | None) -> Any:  # noqa: ANN401 - the module
    """Connect this process to a cluster, unless it is connected already.

    Args:
        address: `HOST:PORT` of a cluster, or `auto` for the one that this machine is a node of;
            None starts one on this machine, which ends with this process.

    Returns:
        The module `ray`.

    Raises:
        MissingExtraError: If Ray is not installed.
        RunnerError: If the cluster cannot be reached, or need not ask for a token.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingExtraError(
            f"`runner: ray` needs the package ray; install it with {pip_install('ray')}."
        )
    if address is None:
        os.environ.update(ALONE)
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    else:
        _check(address)
    import ray

    if ray.is_initialized():
        return ray
    try:
        if address is None:
            ray.init("local", include_dashboard=False, **QUIET)
        else:
            ray.init(address, **QUIET)
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise _unreachable(address, error) from error
    # Ray prints what goes wrong on a node to the standard output, where `--json` goes too.
    ray._private.worker._worker_logs_enabled = False
    return ray


def _check(address: str) -> None:
    """Refuse to connect where whoever reaches a port may run code, and where hilt cannot work.

    Raises:
        RunnerError: If it would.
    """
    if "://" in address:
        raise RunnerError(
            f"runner.address is {address!r}, but hilt does not work through Ray's client; run hilt"
            " on a node of the cluster, with `address: auto`."
        )
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
        raise RunnerError(
            "A Ray cluster without tokens runs the code of whoever reaches its ports, so hilt only"
            " uses one that asks for a token: set RAY_AUTH_MODE=token, and the same token"
            " (RAY_AUTH_TOKEN or ~/.ray/auth_token), where hilt runs and on every node before"
            " `ray start`."
        )
    if address != "auto":
        _knock(address)


def _knock(address: str) -> None:
    """Make sure that somebody listens: Ray itself would try for minutes.

    Raises:
        RunnerError: If nobody does, or it is no address.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise RunnerError(f"runner.address is {address!r}; write HOST:PORT, or auto.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, error) from error


def _unreachable(address: str | None, error: Exception) -> RunnerError:
    reason = shortened(str(error)).rstrip(".")
    if address is None:
        return RunnerError(f"No Ray cluster can be started on this machine: {reason}.")
    return RunnerError(
        f"The Ray cluster at {address!r} cannot be reached: {reason}. Make sure that it runs"
        " (`ray status` on one of its nodes), and that its token is the one of this machine."
    )
