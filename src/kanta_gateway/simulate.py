"""`kanta-gateway simulate-archive`: the simulated archive as a process of its own, without a data folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kanta_gateway import knowledge
from kanta_gateway.mapping.structures import Structures, json_schema
from kanta_gateway.transfer.frame import load_profile
from kanta_gateway.transfer.simulator.server import run as run_server


def run(port: int, ready_file: Path | None, store: Path | None, faults: Sequence[str], seed: int) -> None:
    """Serve on loopback until told to stop.

    Args:
        port: 0 takes a free one.
        ready_file: gets the base URL once it listens.
        store: folder that keeps what it got; in memory if None.
        faults: `NAME` or `NAME=RATE`.
        seed: of the faults.
    """
    structures = Structures.load(knowledge.texts("schemas/structures"))
    run_server(
        port, ready_file, store, faults, seed,
        profile=load_profile(knowledge.text("schemas/frame.yaml")),
        schemas={one.oid: json_schema(one) for one in structures.all()},
    )  # fmt: skip
