"""What contracts say of a day: whether a service of that day may be delivered, and whether anything may be read today.

* A delivery is judged by the day on which the service was given, never by the day of sending.
* After the end of a contract the provider's own records are still taken for the delivery window; reading ends at once.
* A day needs a contract, the right to use the controller's register, and an approval of each sub-processor.
* This module sees values only.

Source: 703/2023 §§9, 14, 57; 612/2021 §§15, 17 and 58 (ids CTL-11, CTL-13, CTL-14 of `docs/traceability.md`).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kanta_gateway.model import Oid, Organisation

DELIVERY_MONTHS = 24
"""How long after the end of a contract own records are taken, where the contract file tells no other time."""


@dataclass(frozen=True, slots=True)
class Span:
    """From a first day to a last one, both included."""

    first: date = date.min
    last: date | None = None
    """None: until further notice."""

    def covers(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.first <= day and (self.last is None or day <= self.last)


ALWAYS = Span()


@dataclass(frozen=True, slots=True)
class Approval:
    """The controller's approval of one sub-processor."""

    organisation: Organisation
    span: Span


@dataclass(frozen=True, slots=True)
class Relationship:
    """One client's service at the provider, as the controller has registered it."""

    client_ref: str
    span: Span
    unit: str = ""
    """Empty: any unit of the provider."""
    service: str = ""
    """Empty: any service of the contract."""
    controller: str = ""
    """Empty: whichever controller's contract."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A registered contract between an organiser (controller) and a provider (processor)."""

    provider: Organisation
    organiser: Organisation
    number: str
    """Contract number, as both parties write it."""
    purchaser: str
    """Name of the contract file that states its rules."""
    span: Span = ALWAYS
    services: frozenset[str] = frozenset()
    """Services that it is about; empty: all that its contract file knows."""
    register_use: tuple[Span, ...] = (ALWAYS,)
    """When the provider may use the controller's register (rekisterinkäyttöoikeus)."""
    approvals: tuple[Approval, ...] = ()
    relationships: tuple[Relationship, ...] | None = None
    """Registered client relationships; None where the decisions that are delivered tell of them."""

    def is_open(self, day: date) -> bool:
        """Whether the contract and the right to use the register are in force on a day."""
        return self.span.covers(day) and any(one.covers(day) for one in self.register_use)


class Standing(StrEnum):
    """How a provider stands to a controller on a day."""

    IN_FORCE = "in-force"
    IN_WINDOW = "in-window"
    """The contract has ended; own records are still taken."""
    NONE = "none"


class Lack(StrEnum):
    """Why a service of some day may not be delivered; also the kinds of the findings that tell it."""

    CONTRACT = "contract-not-in-force"
    PRODUCER = "sub-processor-not-approved"
    REGISTER_USE = "register-use-not-in-force"
    RELATIONSHIP = "relationship-not-open"
    SERVICE = "service-not-in-contract"
    WINDOW = "delivery-window-over"


@dataclass(frozen=True, slots=True)
class Given:
    """A service of one day or some days, as a record tells it."""

    first: date
    last: date
    clients: frozenset[str]
    """Every client reference of the person."""
    received: date
    """When it was delivered to the gateway."""
    service: str = ""
    producer: Organisation | None = None
    """Who gave it, when it is not the provider itself."""
    unit: str = ""


def window_end(end: date, months: int) -> date:
    """Last day on which own records of an ended contract are taken."""
    years, month = divmod(end.year * 12 + end.month - 1 + months, 12)
    return date(years, month + 1, min(end.day, calendar.monthrange(years, month + 1)[1]))


def standing(agreements: Iterable[Agreement], day: date, months: int = DELIVERY_MONTHS) -> Standing:
    """How a provider stands on a day, by the best of its contracts.

    Args:
        agreements: its contracts with one controller, or with any.
        day: the day.
        months: length of the delivery window.
    """
    found = Standing.NONE
    for one in agreements:
        if one.is_open(day):
            return Standing.IN_FORCE
        ended = min((last for last in (one.span.last, _last(one.register_use)) if last is not None), default=None)
        if ended is not None and one.span.first <= day and ended < day <= window_end(ended, months):
            found = Standing.IN_WINDOW
    return found


def _last(spans: Sequence[Span]) -> date | None:
    """When the last of some spans ends; None when one does not."""
    ends = [one.last for one in spans]
    return None if not ends or None in ends else max(one for one in ends if one is not None)


def lacks(agreements: Sequence[Agreement], given: Given, months: int = DELIVERY_MONTHS) -> tuple[Lack, ...]:
    """What stands in the way of delivering a service; of several contracts the one that lacks least decides.

    Of a service of several days the first and the last one are asked: a contract has no gaps.

    Args:
        agreements: the provider's contracts with the purchaser.
        given: the service.
        months: length of the delivery window.
    """
    if not agreements:
        return (Lack.CONTRACT,)
    found: dict[Lack, None] = {}
    for day in sorted({given.first, given.last}):
        covering = [one for one in agreements if one.span.covers(day)]
        if not covering:
            found[Lack.CONTRACT] = None
            continue
        least = min((_of_day(one, given, day, months) for one in covering), key=len)
        found |= dict.fromkeys(least)
    return tuple(found)


def _of_day(one: Agreement, given: Given, day: date, months: int) -> tuple[Lack, ...]:
    """What a contract that is in force on a day lacks for a service of that day."""
    found: list[Lack] = []
    if one.span.last is not None and given.received > window_end(one.span.last, months):
        found.append(Lack.WINDOW)
    if one.services and given.service and given.service not in one.services:
        found.append(Lack.SERVICE)
    if not any(span.covers(day) for span in one.register_use):
        found.append(Lack.REGISTER_USE)
    if given.producer is not None and not _is_approved(one, given.producer.oid, day):
        found.append(Lack.PRODUCER)
    if one.relationships is not None and not _is_served(one.relationships, given, day):
        found.append(Lack.RELATIONSHIP)
    return tuple(found)


def _is_approved(one: Agreement, producer: Oid, day: date) -> bool:
    return any(own.organisation.oid == producer and own.span.covers(day) for own in one.approvals)


def _is_served(known: Iterable[Relationship], given: Given, day: date) -> bool:
    return any(
        one.client_ref in given.clients and one.span.covers(day)
        and (not one.unit or not given.unit or one.unit == given.unit)
        and (not one.service or not given.service or one.service == given.service)
        for one in known
    )  # fmt: skip
