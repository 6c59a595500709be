"""Evidence of supervision ends with what it is about: who broke the glass and why, and what cases of supervision say.

* Both tell of entries of the log and are needed to look into them; they are kept as long as the log (703/2023 annex,
  §24), break-glass from the day on which it was given, a case from its last step.
* Both are destroyed as all content is (`forgotten.CONTENTS`); what is left counts, and tells of nobody.
* It is done once a day and by the clock alone; one that may run ahead takes nothing, as with the log (`aging`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import exists, select

from kanta_gateway.audit import purge
from kanta_gateway.forgotten import CONTENTS
from kanta_gateway.model import Caller
from kanta_gateway.pipeline.destroying import BATCH, Gone, destroy
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.partybook import HELSINKI
from kanta_gateway.tables import access_grant, supervision_case, supervision_step

if TYPE_CHECKING:
    from sqlalchemy import Connection

PURPOSE = "supervision"


def destroy_supervision(parts: Parts, caller: Caller, *, is_clock_right: bool = False) -> dict[str, int]:
    """Destroy what has had its time; how many grants and cases, and the year that makes the clock doubtful.

    Args:
        parts: the built gateway.
        caller: who acts.
        is_clock_right: a person has looked at the clock.
    """
    term, now = parts.terms.own["supervision"], parts.now()
    first = term.begun(now.astimezone(HELSINKI).date()) + timedelta(days=1)
    limit, told = f"{first.isoformat()}T00:00:00.000000Z", {"grants": 0, "cases": 0, "silent_year": 0}
    kinds: dict[str, Callable[[Connection, str], Iterator[Gone]]] = {"grants": _grants, "cases": _cases}
    for name, find in kinds.items():
        while True:
            with parts.database.alone() as tx:
                gone = list(find(tx, limit))
                if not gone:
                    break
                if not is_clock_right and (silent := purge.silent_years(tx, now)):
                    return told | {"silent_year": silent[0]}
                destroy(parts, tx, caller, gone, purpose=PURPOSE, basis=term.source, details={"term": term.id})
            told[name] += sum(one.is_told for one in gone)
    return told


def _grants(tx: Connection, limit: str) -> Iterator[Gone]:
    """Break-glass that was given before a moment."""
    c = access_grant.c
    due = select(c.id, c.provider, c.controller, c.client_ref).where(
        c.given_at < limit, CONTENTS[access_grant.name].has_some
    )
    for row in tx.execute(due.order_by(c.given_at, c.id).limit(BATCH)):
        yield Gone(access_grant.name, row.id, None, row.provider, row.controller, row.client_ref)


def _cases(tx: Connection, limit: str) -> Iterator[Gone]:
    """Cases of which nothing was written since a moment, each with what its steps say."""
    c, s = supervision_case.c, supervision_step.c
    said, later = CONTENTS[supervision_step.name].has_some, supervision_step.alias()
    due = select(c.id, c.controller).where(
        exists().where(s.case_id == c.id, said), ~exists().where(later.c.case_id == c.id, later.c.at >= limit)
    )
    for row in tx.execute(due.order_by(c.opened_at, c.id).limit(BATCH)):
        yield Gone(supervision_step.name, row.id, None, "", row.controller)
        yield Gone(supervision_case.name, row.id, None, "", row.controller, is_told=False)
