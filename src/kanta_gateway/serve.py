"""`kanta-gateway serve`: the API and the worker as two processes, stopped together."""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from types import FrameType

import uvicorn

from kanta_gateway.settings import Settings

GRACE_SECONDS = 20.0
IDLE_SECONDS = 1.0


def run(settings: Settings, *, api: bool, worker: bool) -> None:
    """Run until a signal says stop.

    Args:
        settings: of the installation.
        api: whether to run the API.
        worker: whether to run the worker.
    """
    from kanta_gateway.app import build  # noqa: PLC0415 — each process builds its own

    build(settings).close()  # makes database and keys once, before two processes want them
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=target, args=(settings,), name=name)
        for name, target, wanted in (("api", run_api, api), ("worker", run_worker, worker))
        if wanted
    ]
    for process in processes:
        process.start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    while not stop.is_set() and all(process.is_alive() for process in processes):
        stop.wait(IDLE_SECONDS)
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for process in processes:
        process.join(max(0.1, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()


def run_api(settings: Settings) -> None:
    """The API process."""
    from kanta_gateway.app import build  # noqa: PLC0415

    uvicorn.run(build(settings).api(), host=settings.host, port=settings.port, log_level="warning", access_log=False)


def run_worker(settings: Settings) -> None:
    """The worker process: sends what waits, judges what was left, destroys what is spent."""
    from kanta_gateway.app import build  # noqa: PLC0415

    gateway = build(settings)
    stop = threading.Event()

    def _stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    gateway.work(stop)
