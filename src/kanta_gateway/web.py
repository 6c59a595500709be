"""The web application of one installation: the use cases behind the HTTP routes, and the routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanta_gateway import __version__, keyfiles
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.gateway import Gateway
from kanta_gateway.intake import auditors, changeroutes, disclosures, paperroutes, registers, retention, rights
from kanta_gateway.intake.api import build
from kanta_gateway.intake.service import Service
from kanta_gateway.pipeline.entrance import AUDIENCE, Entrance

if TYPE_CHECKING:
    from fastapi import FastAPI

ROUTERS = (
    disclosures.router, changeroutes.router, auditors.router, paperroutes.router, rights.router, registers.router,
    retention.router,
)  # fmt: skip
"""Routes of the subjects that have a module of their own."""


def service_of(gateway: Gateway) -> Service:
    """The use cases behind the HTTP routes."""
    settings = gateway.settings
    revocations = keyfiles.revocations(settings.caller_crl_file)
    return Service(
        gateway.parts, gateway.desk, gateway.office, gateway.people, gateway.papers, gateway.schemas,
        entrance=Entrance(gateway.parts, gateway.office, AUDIENCE, revocations),
        max_queue_depth=settings.max_queue_depth, max_record_bytes=settings.max_record_bytes,
        max_delivery_bytes=settings.max_delivery_bytes, version=__version__,
    )  # fmt: skip


def application(gateway: Gateway) -> FastAPI:
    """The web application.

    Raises:
        MisconfiguredError: the policy in place is not the decree's maximum.
    """
    if differences := gateway.parts.decider.differences():
        raise MisconfiguredError(f"policy: not the decree's maximum for {differences[0]}; run `kanta-gateway check`")
    gateway.desk.finish(gateway.actor("api", "kanta-gateway api", "start"))
    made = build(service_of(gateway), ROUTERS)
    made.state.auditors = gateway.auditors
    return made
