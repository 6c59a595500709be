"""Recipients are called: with the notice where the contract allows it, else with word that something waits.

* (1) What waits and has a channel is queued. (2) Calls are leased; a notice that goes with its content is frozen and
  its disclosure written down in the same transaction. (3) The calls are made outside any transaction.
  (4) What came of them is stored; a notice that was taken is delivered.
* An announcement holds an id and no client data, so it is no disclosure; the notice waits on until it is fetched.
* A call that fails is made again, later and later, until the recipient takes it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.contracts.calendar import HELSINKI
from kanta_gateway.contracts.terms import NOTICE
from kanta_gateway.errors import GatewayError
from kanta_gateway.model import Caller, Event, Oid
from kanta_gateway.notices import calls, store
from kanta_gateway.notices.calls import Reached
from kanta_gateway.notices.states import NoticeState
from kanta_gateway.pipeline.handing import Handing, handing, mark_told
from kanta_gateway.pipeline.notify import content_of
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.spool.states import Wait, next_attempt

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.notices.calls import Call
    from kanta_gateway.notices.channels import Caller as Ways
    from kanta_gateway.notices.channels import Channel, Channels
    from kanta_gateway.notices.store import StoredNotice

BATCH = 32
WEBHOOK, EMAIL = "webhook", "email"


@dataclass(frozen=True, slots=True)
class _Ready:
    """One call with everything that it needs, or why it cannot be made."""

    call: Call
    notice: StoredNotice
    channel: Channel | None = None
    hand: Handing | None = None
    """Only where the notice itself goes."""
    body: bytes = b""
    problem: dict[str, str] | None = None
    is_moot: bool = False
    """The notice was fetched or withdrawn meanwhile: nobody need be called."""

    @property
    def is_called(self) -> bool:
        """Whether the call is made."""
        return self.problem is None and not self.is_moot


class Announcer:
    """Calls recipients of notices.

    Args:
        parts: the built gateway.
        channels: who is reached how.
        ways: makes the calls.
        caller: who acts.
        lease_seconds: how long a batch may be held.
    """

    def __init__(
        self, parts: Parts, channels: Channels, ways: Ways, caller: Caller, lease_seconds: float
    ) -> None:  # fmt: skip
        self._parts = parts
        self._channels = channels
        self._ways = ways
        self._caller = caller
        self._lease_seconds = lease_seconds
        self._jitter = random.SystemRandom().random

    def step(self) -> int:
        """Queue, lease, make and settle one batch of calls; gives their number."""
        if not self._channels.channels:
            return 0
        with self._parts.database.alone() as tx:
            self._queue(tx)  # (1)
            ready = [self._ready(tx, one) for one in calls.lease(tx, self._parts.now(), BATCH, self._lease_seconds)]
            self._parts.log.append(tx, [self._event(one) for one in ready if one.is_called])  # (2)
        done = [(one, self._made(one) if one.is_called else one.problem) for one in ready]  # (3)
        with self._parts.database.alone() as tx:
            for one, problem in done:
                self._settle(tx, one, problem)  # (4)
        return len(ready)

    def _queue(self, tx: Connection) -> None:
        now = self._parts.now()
        today = now.astimezone(HELSINKI).date().isoformat()
        for channel in self._channels.channels:
            for way in [name for name, there in ((WEBHOOK, channel.webhook), (EMAIL, channel.email)) if there]:
                for purchaser, contract in self._parts.contracts.items():
                    bodies = {one.notice: one.ways[way] for one in contract.notices if one.is_made and way in one.ways}
                    reached = Reached(way, purchaser, bodies.keys(), channel.kind, channel.organiser)
                    found = calls.missing(tx, reached, today, BATCH) if bodies else []
                    for sequence, one in store.by_sequences(tx, found).items():
                        calls.queue(tx, sequence, way, bodies[one.type], now)

    def _channel(self, one: StoredNotice) -> Channel | None:
        """The channel of the only recipient that a notice may have."""
        return self._channels.of(one.recipients[0], one.organiser) if len(one.recipients) == 1 else None

    def _ready(self, tx: Connection, call: Call) -> _Ready:
        one = store.by_sequences(tx, [call.notice])[call.notice]
        channel = self._channel(one)
        if one.state not in {NoticeState.WAITING, NoticeState.SENDING}:
            return _Ready(call, one, is_moot=True)
        if channel is None:
            return _Ready(call, one, problem={"kind": "channel-gone"})
        if call.body != NOTICE:
            body = orjson.dumps({"id": one.id, "waits": True})
            return _Ready(call, one, channel, body=body)
        try:
            hand = handing(self._parts, tx, one, one.recipients[0])
            told = hand.told(self._parts.views, content_of(self._parts, one), self._caller.person_name, self._day())
            if one.state is NoticeState.WAITING:
                store.freeze(tx, one)
        except GatewayError as error:
            return _Ready(call, one, problem={"kind": error.code})
        return _Ready(call, one, channel, hand, orjson.dumps(told))

    def _made(self, one: _Ready) -> dict[str, str] | None:
        channel = one.channel
        if channel is None:
            return {"kind": "channel-gone"}
        if one.call.way == EMAIL:
            messages, language = self._parts.messages, self._parts.language
            text = (messages.text("notice-mail-subject", language), messages.text("notice-mail-body", language))
            return self._ways.mail(channel.email, one.notice.id, text)
        if channel.webhook is None:
            return {"kind": "channel-gone"}
        return self._ways.post(channel.webhook, one.body, one.notice.id, int(self._parts.now().timestamp()))

    def _settle(self, tx: Connection, one: _Ready, problem: dict[str, str] | None) -> None:
        now = self._parts.now()
        due = next_attempt(now, Wait.BUSY, one.call.attempts, self._jitter()) if problem else None
        kept = calls.settle(tx, one.call, now, problem=problem, next_attempt=due)
        if kept and problem is None and one.hand is not None:
            fresh = store.get(tx, one.notice.id)
            if fresh is not None and fresh.state is NoticeState.SENDING:
                mark_told(self._parts, tx, Handing(
                    fresh, one.hand.kind, one.hand.terms, one.hand.recipient, one.hand.agreement
                ))  # fmt: skip

    def _event(self, one: _Ready) -> AuditEvent:
        now = self._parts.now()
        if one.hand is not None:
            return one.hand.event(self._caller, now, one.call.way, attempt=one.call.attempts)
        return AuditEvent(
            event=Event.NOTICE_ANNOUNCE, caller=self._caller, at=now, client_ref=None, subject=one.notice.id,
            provider=Oid(one.notice.provider), controller=one.notice.organiser, purpose="announcement", basis="",
            details={"way": one.call.way, "attempt": one.call.attempts},
        )  # fmt: skip

    def _day(self) -> str:
        return self._parts.now().astimezone(HELSINKI).date().isoformat()
