"""The log as auditors take it away: verified, exported whole or with other clients' entries closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.audit import proofs, report
from kanta_gateway.audit.answers import Tally
from kanta_gateway.audit.fhir import audit_event
from kanta_gateway.audit.forms import comment, outcome_line
from kanta_gateway.audit.problems import Problem
from kanta_gateway.audit.verify import verify
from kanta_gateway.errors import GatewayError, ParameterError
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline.answering import may_name
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.reconciling import reconciled

if TYPE_CHECKING:
    from sqlalchemy import Connection

FORMS = ("csv", "fhir", "jsonl")


def verified(parts: Parts, language: str, *, vkey: str, checkpoint: str, must_match: bool = False) -> dict[str, Any]:
    """Check the whole log offline; the given checkpoint is one that it must continue.

    Args:
        parts: the built gateway.
        language: of the texts.
        vkey: verifier keys of the log.
        checkpoint: empty for none.
        must_match: whether log and tables must also tell the same, both ways.
    """
    with parts.database.reading() as tx:
        seen = verify(tx, vkey=vkey, checkpoint=checkpoint or None, heads=parts.log.heads, seals=parts.log.seals)
        unmatched = reconciled(tx, parts.log.seals, parts.keys.ids(), parts.vault) if must_match else ()
    told: dict[str, Any] = {
        "holds": seen.is_sound and not unmatched, "size": seen.size, "root": seen.root.hex(),
        "problems": [_told(parts, language, one) for one in seen.problems],
        "remarks": [_told(parts, language, one) for one in seen.remarks],
    }  # fmt: skip
    return told | ({"unmatched": [_told(parts, language, one) for one in unmatched]} if must_match else {})


def verified_for(
    parts: Parts, office: Office, caller: Caller, check: Callable[[], dict[str, Any]]
) -> dict[str, Any]:  # fmt: skip
    """The same for a person, with an entry of its own after what was checked: to verify the log is to read it.

    A log that does not hold takes no entry, and a copy that cannot be written none either: what was found is told all
    the same, and that nothing was written down.

    Args:
        parts: the built gateway.
        office: permits and writes down.
        caller: who verifies.
        check: gives what `verified` does.
    """
    decision = office.permit(caller, Event.AUDIT_READ, provider=None)
    told = check()
    details = {"size": told["size"], "holds": told["holds"], "reconciled": "unmatched" in told}
    try:
        with parts.database.transaction() as tx:
            office.note(tx, [office.event(
                caller, Event.AUDIT_READ, subject="verify", provider="", details=details, decision=decision
            )])  # fmt: skip
    except GatewayError:
        return {**told, "noted": False}
    return {**told, "noted": True}


def _told(parts: Parts, language: str, one: Problem) -> dict[str, str]:
    return {"table": one.table, "place": one.place, "what": parts.messages.text(one.what, language, one.params)}


def exported(
    parts: Parts, office: Office, form: str, caller: Caller, client: str | None = None, provider: str = ""
) -> Iterator[str]:
    """Lines of an export, written down before the first is given.

    Args:
        parts: the built gateway.
        office: permits and writes down.
        form: `csv`, `fhir` or `jsonl`.
        caller: who exports.
        client: a client number; only this client's entries are given, or (jsonl) opened.
        provider: whose number it is; may be empty where only one has it.

    Raises:
        ParameterError: there is no such form.
    """
    if form not in FORMS:
        raise ParameterError(f"an export of the log is one of {', '.join(FORMS)}")
    (_, refs), seals = office.note_export(caller, form, client, provider), parts.log.seals
    sphere = office.guard.sphere(caller)
    with parts.database.reading() as tx:
        if form == "jsonl":
            yield from report.jsonl(tx, seals, refs or None, sphere.is_open)
            return
        given = bytearray(proofs.size(tx))  # for each entry whether it is given: a log may have millions

        def may_read(entry: Mapping[str, Any]) -> bool:
            """Whether the reader may read an entry, which is then counted as given."""
            given[int(entry["idx"])] = sphere.is_open(entry)
            return bool(given[int(entry["idx"])])

        names = parts.log.names if may_name(parts, caller) else None
        for number, ref in enumerate(refs or (None,)):
            wanted = report.Filter(client_ref=ref)
            if form == "fhir":
                yield from _events(parts, tx, wanted, may_read)
                continue
            lines = report.table(tx, seals, wanted, names, may_read)
            yield from islice(lines, 1 if number else 0, None)  # one heading is enough
        yield _left_out(form, given)


def _left_out(form: str, given: Sequence[int]) -> str:
    """The last line of an export that is no proof: how many entries it leaves out, and which."""
    tally = Tally(len(given))
    for idx in (idx for idx, one in enumerate(given) if one):
        tally.holds(idx)
    told = {name: one for name, one in tally.told().items() if name in {"entries", "left_out"}}
    return comment(told) if form == "csv" else outcome_line(told)


def _events(
    parts: Parts, tx: Connection, wanted: report.Filter, may_read: Callable[[Mapping[str, Any]], bool]
) -> Iterator[str]:
    for _, body in report.every(tx, parts.log.seals, wanted):
        entry = orjson.loads(body)
        if may_read(entry):
            yield orjson.dumps(audit_event(entry, observer=parts.checkpoints.key.name)).decode() + "\n"
