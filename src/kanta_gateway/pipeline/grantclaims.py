"""What break-glass claims of the log, both ways, and whether what was said in it and in cases is as gone as told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import select

from kanta_gateway.audit.reconcile import Claim, Known
from kanta_gateway.forgotten import CONTENTS
from kanta_gateway.model import Event
from kanta_gateway.tables import access_grant, supervision_case, supervision_step

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

TABLE = access_grant.name
GRANTS = select(
    access_grant.c.id, access_grant.c.until, access_grant.c.ended_at, access_grant.c.outcome, access_grant.c.given_at,
    CONTENTS[TABLE].has_some.label("has_content"),
)  # fmt: skip


def claims(rows: Iterable[RowMapping]) -> Iterator[Claim]:
    """What grants by break-glass claim."""
    for row in rows:
        id_, since = row["id"], row["given_at"]
        yield Claim(TABLE, id_, Event.ACCESS_BREAK, id_, {"until": row["until"]}, since)
        if row["ended_at"] is not None:
            yield Claim(TABLE, id_, Event.ACCESS_END, id_, since=since)
        if row["outcome"] is not None:
            yield Claim(TABLE, id_, Event.ACCESS_REVIEW, id_, {"outcome": row["outcome"]}, since)
        if not row["has_content"]:
            yield Claim(TABLE, id_, Event.DOCUMENT_DESTROY_KEY, id_, since=since)


def known(rows: Iterable[RowMapping]) -> Known:
    """A grant that was ended or reviewed is still so: a restored table opens none again unseen."""
    every = list(rows)
    return {
        Event.ACCESS_BREAK.value: {row["id"]: True for row in every},
        Event.ACCESS_END.value: {row["id"]: row["ended_at"] is not None for row in every},
        Event.ACCESS_REVIEW.value: {row["id"]: row["outcome"] is not None for row in every},
    }


def destroyed(rows: Iterable[RowMapping]) -> Mapping[str, bool]:
    """Whether who looked and why is gone, by grant: its entry may only tell of that."""
    return {row["id"]: not row["has_content"] for row in rows}


def known_cases(tx: Connection) -> Known:
    """Whether what was said in each case is gone."""
    said = select(supervision_step.c.case_id).where(CONTENTS[supervision_step.name].has_some).distinct()
    has = set(tx.execute(said).scalars())
    return {
        Event.CASE_DESTROY.value: {id_: id_ not in has for id_ in tx.execute(select(supervision_case.c.id)).scalars()}
    }
