"""`kanta-gateway serve`: the API and the worker as two processes, stopped together.

* SIGTERM or SIGINT ends both, each after what it is doing; the exit code is 0.
* If one of them ends by itself the other is stopped too and the exit code is 1: who runs the service
  starts both again, and nothing is lost, since what was begun lies in the database.
* If this process is killed the two notice and end.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

import uvicorn

from kanta_gateway.errors import GatewayError
from kanta_gateway.settings import Settings
from kanta_gateway.spool.worker import stop_on_signals

GRACE_SECONDS = 20.0
"""How long a process may take to finish what it is doing."""
IDLE_SECONDS = 0.5
SHUTDOWN_SECONDS = 10
"""How long the API waits for calls that are being answered."""


def run(settings: Settings, *, api: bool, worker: bool) -> int:
    """Run until a signal says stop; gives the exit code.

    Args:
        settings: of the installation.
        api: whether to run the API.
        worker: whether to run the worker.
    """
    from kanta_gateway.app import build  # noqa: PLC0415 — each process builds its own

    stop = threading.Event()
    stop_on_signals(stop)  # before anything is started, so that nothing is left behind
    build(settings).close()  # makes database and keys once, before two processes want them
    context = multiprocessing.get_context("spawn")
    processes: list[BaseProcess] = [
        context.Process(target=_run, args=(target, settings), name=name)
        for name, target, wanted in (("api", run_api, api), ("worker", run_worker, worker))
        if wanted
    ]
    for process in processes:
        process.start()
    while not stop.is_set() and all(process.is_alive() for process in processes):
        stop.wait(IDLE_SECONDS)
    _end(processes)
    return 0 if stop.is_set() else 1


def _end(processes: list[BaseProcess]) -> None:
    """Ask all to end, and end those that do not."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for process in processes:
        process.join(max(0.1, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()


def _run(target: Callable[[Settings], None], settings: Settings) -> None:
    """One process: ends with the process that started it, and tells its own errors without a trace."""
    threading.Thread(target=_follow_parent, daemon=True).start()
    try:
        target(settings)
    except GatewayError as error:
        sys.exit(f"kanta-gateway {multiprocessing.current_process().name}: {error}")


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def run_api(settings: Settings) -> None:
    """The API process."""
    from kanta_gateway.app import build  # noqa: PLC0415
    from kanta_gateway.web import application  # noqa: PLC0415 — the worker needs no web framework

    uvicorn.run(
        application(build(settings)), host=settings.host, port=settings.port, log_level="warning", access_log=False,
        server_header=False, timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )  # fmt: skip


def run_worker(settings: Settings) -> None:
    """The worker process: sends what waits, judges what was left, destroys what is spent."""
    from kanta_gateway.app import build  # noqa: PLC0415

    stop = threading.Event()
    stop_on_signals(stop)
    gateway = build(settings)
    gateway.dispatch.work(stop, gateway.actor("worker", "kanta-gateway worker", "archiving"))
