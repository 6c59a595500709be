"""An invoice by the day: what differs between diary, absences and invoice, and what each of its lines rests on.

Only facts and evidence are read, no content is opened: both hold after a document's key has been destroyed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from kanta_gateway.audit import report
from kanta_gateway.audit.seals import Seals
from kanta_gateway.contracts.facts import plain
from kanta_gateway.contracts.figures import plain as rounded
from kanta_gateway.contracts.reconcile import Day, Line, lines, reconcile
from kanta_gateway.model import Event
from kanta_gateway.pipeline.casefile import CaseFile
from kanta_gateway.pipeline.filing import files
from kanta_gateway.pipeline.judging import judged
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.spool import store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.contracts.case import Case
    from kanta_gateway.contracts.check import Judgement
    from kanta_gateway.contracts.rules import Contract
    from kanta_gateway.contracts.situation import Subject
    from kanta_gateway.spool.store import StoredDocument


class _File(NamedTuple):
    """One client's file with its judgement by one contract."""

    name: str
    case: CaseFile
    contract: Contract
    whole: Case
    judgement: Judgement
    as_of: date


def _files(
    parts: Parts, tx: Connection, provider: str, clients: Iterable[str], closed: Collection[str], as_of: date | None
) -> Iterator[_File]:  # fmt: skip
    """The clients whose contract reconciles anything, by their own numbers."""
    for case in files(parts, tx, provider, clients, closed):
        for subject in case.subjects:
            contract = parts.contracts[subject.purchaser]
            if contract.reconciliation is not None:
                whole, judgement, day = judged(parts, case, subject.purchaser, as_of)
                yield _File(subject.id, case, contract, whole, judgement, day)


def reconciled(
    parts: Parts,
    tx: Connection,
    provider: str,
    clients: Sequence[str],
    closed: Collection[str],
    as_of: date | None,
    language: str,
) -> dict[str, Any]:
    """Every day of each client with its differences, by the provider's own client number.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        clients: keyed references.
        closed: purchasers whose registers are left alone.
        as_of: the last day that counts; the newest delivery's own day by default.
        language: of the texts.
    """
    told: dict[str, Any] = {}
    for file in _files(parts, tx, provider, clients, closed, as_of):
        days = reconcile(file.contract, file.whole, file.judgement, file.as_of)
        told[file.name] = {
            "as_of": file.as_of.isoformat(),
            "invoice_eur": rounded(sum(one.line.amount or 0 for one in days if one.line)),
            "differences": sum(len(one.differences) for one in days),
            "days": [_day(parts, file, one, language) for one in days],
        }
    return told


def _day(parts: Parts, file: _File, one: Day, language: str) -> dict[str, Any]:
    line = one.line
    return {
        "date": one.day,
        "attended": [_record(file, subject) for subject in one.attended],
        "absent": [_record(file, subject) for subject in one.absent],
        "invoiced": list(one.invoiced),
        "line": None if line is None else {
            "record": line.subject.entry.id, "amount_eur": rounded(line.amount), "to_check": line.is_to_check,
        },
        "differences": [parts.messages.finding(found, language) for found in one.differences],
    }  # fmt: skip


def _record(file: _File, subject: Subject) -> dict[str, Any]:
    """A record as it stands beside others: what came of it, and by which rules."""
    row = subject.entry.row
    return {
        "record": subject.entry.id, "version": subject.entry.version,
        "outcome": file.judgement.outcomes[row].value, "hours": plain(subject.hours),
        "rules": sorted({found.rule for found in file.judgement.findings.get(row, ())}),
    }  # fmt: skip


def proved(
    parts: Parts, tx: Connection, provider: str, clients: Sequence[str], closed: Collection[str], as_of: date | None
) -> dict[str, Any]:  # fmt: skip
    """What every line of each client's invoice rests on, by the provider's own client number.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        clients: keyed references.
        closed: purchasers whose registers are left alone.
        as_of: the last day that counts; the newest delivery's own day by default.
    """
    told: dict[str, Any] = {}
    for file in _files(parts, tx, provider, clients, closed, as_of):
        found = lines(file.contract, file.whole, file.judgement, file.as_of)
        documents = store.of_records(tx, (one.subject.entry.row for one in found))
        places = {oid: one for ref in file.case.stamp.clients for oid, one in _places(tx, parts.log.seals, ref).items()}
        told[file.name] = {
            "as_of": file.as_of.isoformat(),
            "invoice_eur": rounded(sum(one.amount or 0 for one in found)),
            "lines": [_proof(file, one, documents.get(one.subject.entry.row, ()), places) for one in found],
        }
    return told


def _places(tx: Connection, seals: Seals, client_ref: str) -> Mapping[str, list[dict[str, Any]]]:
    """Document -> its entries in the log, whose inclusion can be proved."""
    wanted = report.Filter(
        client_ref=client_ref, events=frozenset({Event.DOCUMENT_SIGN, Event.DOCUMENT_SEND, Event.DOCUMENT_ARCHIVE})
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in report.rows(tx, seals, wanted):
        found.setdefault(str(entry["subject"]), []).append({"index": entry["idx"], "event": entry["event"]})
    return found


def _proof(
    file: _File, line: Line, documents: Sequence[StoredDocument], places: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    subject = line.subject
    stored = next(one for one in file.case.rows if one.row == subject.entry.row)
    product = subject.period.product if subject.period else None
    return {
        "date": subject.day, "amount_eur": rounded(line.amount), "to_check": line.is_to_check, "clause": line.clause,
        "product": None if product is None else product.name,
        "decision": subject.period.entry.id if subject.period else None,
        "record": {
            **_record(file, subject), "ticket": stored.ticket, "sha256": stored.digest,
            "received_at": stored.received_at,
        },
        "documents": [
            {
                "oid": one.oid, "version": one.version_number, "structure": one.structure, "state": one.state.value,
                "signed_sha256": one.digest, "receipt": one.receipt, "log": places.get(one.oid, []),
            }
            for one in documents
        ],
    }  # fmt: skip
