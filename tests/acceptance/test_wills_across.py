"""One person at several providers of one controller: what is stated at one of them, or to the controller, counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete
from tests import chains
from tests.chains import STAFF, Cast
from tests.crossing import BESIDE, ORGANISER, OTHER, PROVIDER, Crossing, kinds

from kanta_gateway.model import Oid
from kanta_gateway.pipeline.samepeople import complete
from kanta_gateway.tables import client_person

PERMIT: dict[str, Any] = {"type": "disclosure_permit", "is_valid": True}
BY_PERMIT = {"under": "permit", **BESIDE}
SECOND = "1.2.246.10.94006015.10.0"
"""Another producer of the same controller."""
ELSEWHERE = "1.2.246.10.94006023.10.0"
"""A producer of another controller, where the same person is a client too."""
OFFICIAL = {"organisation": ORGANISER, "role": "registrar", "purpose": "register-maintenance"}


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crossing]:
    """One installation for all facts below; each has a client of its own."""
    made = Crossing(tmp_path_factory.mktemp("across"))
    chains.register(made.world, SECOND)
    chains.register(made.world, ELSEWHERE, OTHER)
    yield made
    made.gateway.close()


def at(crossing: Crossing, cast: Cast, *wills: dict[str, Any], provider: str = SECOND, **client: Any) -> None:
    """The client's record, and statements of will, as another provider delivers them."""
    told = [STAFF, cast.client("A", **client), *(crossing.will(cast, **one) for one in wills)]
    chains.deliver(crossing.world, told, provider)


def test_a_prohibition_at_another_provider_of_the_controller(crossing: Crossing) -> None:
    """A prohibition that one producer records binds in the whole register of the controller, and ends with it.

    The controller is where it is made (703/2023 §59.1); one in another controller's register says nothing here.
    """
    cast, oid = crossing.client(PERMIT)
    before = crossing.disclose(oid, BY_PERMIT).status_code
    at(crossing, cast, {"type": "prohibition"}, provider=ELSEWHERE)
    foreign = crossing.disclose(oid, BY_PERMIT).status_code
    at(crossing, cast, {"type": "prohibition"})
    covered = crossing.disclose(oid, BY_PERMIT)
    lifted = crossing.gateway.parts.now().isoformat()
    at(crossing, cast, {"type": "prohibition", "version": 2, "withdrawn_at": lifted})

    assert (200, 200, 403) == (before, foreign, covered.status_code)
    assert ("D3", "prohibition") in kinds(covered)
    assert 200 == crossing.disclose(oid, BY_PERMIT).status_code


def test_a_permit_at_another_provider_of_the_controller(crossing: Crossing) -> None:
    """A permit counts in the register in which it was stated, through whichever producer; its withdrawal too."""
    cast, oid = crossing.client()
    at(crossing, cast, PERMIT, provider=ELSEWHERE)
    foreign = crossing.disclose(oid, BY_PERMIT).status_code
    at(crossing, cast, PERMIT)
    given = crossing.disclose(oid, BY_PERMIT).status_code
    at(crossing, cast, {**PERMIT, "version": 2, "withdrawn_at": crossing.gateway.parts.now().isoformat()})

    assert (403, 200) == (foreign, given)
    assert 403 == crossing.disclose(oid, BY_PERMIT).status_code


def test_a_consent_names_parties_by_its_own_providers_words(crossing: Crossing) -> None:
    """Whom a consent calls by an id is read from the records of the provider that recorded it, of no other."""
    cast, oid = crossing.client()
    unit = {"type": "unit", "id": "U-1", "name": "Toimipiste"}
    chains.deliver(crossing.world, [{**unit, "oid": OTHER}])
    consent = {"type": "consent", "kind": "exchange", "parties": [{"id": "U-1"}]}
    at(crossing, cast, consent)
    unknown = crossing.disclose(oid, {"under": "consent"}).status_code
    chains.deliver(crossing.world, [{**unit, "oid": OTHER}], SECOND)

    assert 403 == unknown
    assert 200 == crossing.disclose(oid, {"under": "consent"}).status_code


def test_who_it_is_follows_the_newest_identity(crossing: Crossing) -> None:
    """Once the other provider corrects the identity code its client is somebody else, and binds nobody here."""
    cast, oid = crossing.client(PERMIT)
    at(crossing, cast, {"type": "prohibition"})
    before = crossing.disclose(oid, BY_PERMIT).status_code
    at(crossing, cast, version=2, identity_code=cast.code("B"))
    after = crossing.disclose(oid, BY_PERMIT).status_code
    at(crossing, cast, version=1)

    assert (403, 200) == (before, after)
    assert 200 == crossing.disclose(oid, BY_PERMIT).status_code  # an older state that comes late changes nothing


def test_clients_from_before_are_matched_from_the_next_start(crossing: Crossing) -> None:
    """A database from an older version, or a register that was taken over, has its clients matched at the start."""
    cast, oid = crossing.client(PERMIT)
    at(crossing, cast, {"type": "prohibition"})
    with crossing.gateway.parts.database.transaction() as tx:
        tx.execute(delete(client_person))
    lost = crossing.disclose(oid, BY_PERMIT).status_code
    first, again = complete(crossing.gateway.parts), complete(crossing.gateway.parts)

    assert (200, 403) == (lost, crossing.disclose(oid, BY_PERMIT).status_code)
    assert (True, 0) == (first > 0, again)


def test_the_controllers_official_states_a_prohibition(crossing: Crossing) -> None:
    """What the controller's official states binds for all of its providers, and is lifted at once.

    Each copy is a record of its provider's client, in the log with who stated it.
    """
    cast, oid = crossing.client(PERMIT)
    at(crossing, cast)
    path = f"/v1/clients/{cast.name('A')}/wills"
    body = {"type": "prohibition", "provider": SECOND}
    stated = crossing.call("POST", path, body, person="V-9", **OFFICIAL)
    prohibited = crossing.disclose(oid, BY_PERMIT)
    entries = [
        one for one in crossing.entries("will:state") if one["details"]["statement"] == stated.json()["statement"]
    ]
    withdraw = f"{path}/{stated.json()['statement']}:withdraw"
    withdrawn, again = (crossing.call("POST", withdraw, {"provider": PROVIDER}, **OFFICIAL) for _ in range(2))

    assert (201, 403) == (stated.status_code, prohibited.status_code)
    assert {PROVIDER, SECOND} == {one["provider"] for one in stated.json()["records"]}
    assert sorted((one, "prohibition", "state") for one in (PROVIDER, SECOND)) == sorted(
        (one["provider"], one["details"]["type"], one["details"]["step"]) for one in entries
    )
    assert (200, 409) == (withdrawn.status_code, again.status_code)
    assert 200 == crossing.disclose(oid, BY_PERMIT).status_code


def test_a_provider_cannot_lift_what_was_stated_to_the_controller(crossing: Crossing) -> None:
    """A provider's record under the same id is a statement of its own: the controller's stands till it is withdrawn."""
    cast, oid = crossing.client(PERMIT)
    path = f"/v1/clients/{cast.name('A')}/wills"
    stated = crossing.call("POST", path, {"type": "prohibition", "provider": PROVIDER}, **OFFICIAL).json()
    crossing.tell(cast, type="prohibition", id=stated["statement"], version=2,
                  withdrawn_at=crossing.gateway.parts.now().isoformat())  # fmt: skip
    still = crossing.disclose(oid, BY_PERMIT).status_code
    lifted = crossing.call("POST", f"{path}/{stated['statement']}:withdraw", {"provider": PROVIDER}, **OFFICIAL)

    assert (403, 200) == (still, lifted.status_code)
    assert 200 == crossing.disclose(oid, BY_PERMIT).status_code


def test_permits_and_consents_are_stated_to_the_controller_too(crossing: Crossing) -> None:
    """A permit and a consent of the controller's official give at once what they name, and end at once."""
    cast, oid = crossing.client()
    path = f"/v1/clients/{cast.name('A')}/wills"
    ways = (({"type": "disclosure_permit"}, BY_PERMIT),
            ({"type": "consent", "kind": "disclosure", "parties": [{"id": OTHER}]}, {"under": "consent"}))  # fmt: skip
    told = []
    for body, asked in ways:
        stated = crossing.call("POST", path, {**body, "provider": PROVIDER}, **OFFICIAL).json()
        told.append(crossing.disclose(oid, asked).status_code)
        crossing.call("POST", f"{path}/{stated['statement']}:withdraw", {"provider": PROVIDER}, **OFFICIAL)
        told.append(crossing.disclose(oid, asked).status_code)

    assert [200, 403, 200, 403] == told


def test_who_may_state_a_will_and_what(crossing: Crossing) -> None:
    """Only the register's own official states one, of a client of the register, in fields that are known.

    A producer's system, another controller's official and a number that there is not are refused alike.
    """
    cast, _ = crossing.client()
    path, body = f"/v1/clients/{cast.name('A')}/wills", {"type": "prohibition", "provider": PROVIDER}
    producer = crossing.call("POST", path, body, organisation=PROVIDER, role="provider-system", purpose="delivery")
    other = crossing.call("POST", path, body, **{**OFFICIAL, "organisation": OTHER})
    nobody = crossing.call("POST", "/v1/clients/X-0/wills", body, **OFFICIAL)
    wrong = [
        crossing.call("POST", path, {**body, **one}, **OFFICIAL).status_code
        for one in ({"type": "diary_entry"}, {"colour": "red"}, {"service_tasks": ["all"]}, {"set_on": "2026-01-01"})
    ]
    minor = crossing.call("POST", path, {**body, "against": "guardian"}, **OFFICIAL)

    assert [403, 404, 404] == [producer.status_code, other.status_code, nobody.status_code]
    assert other.content == nobody.content
    assert [422] * 4 == wrong
    assert 422 == minor.status_code  # a minor's prohibition tells its reason (703/2023 §40)
    assert "reason" in minor.text


def test_a_provider_is_not_told_of_other_providers(crossing: Crossing) -> None:
    """A producer sees what was stated in its own client's file; that another producer serves the person is not told."""
    cast, _ = crossing.client()
    at(crossing, cast, {"type": "prohibition"})
    own = replace(crossing.world.caller, system="paja", organisation=Oid(PROVIDER), role="provider-system",
                  purpose="service-delivery")  # fmt: skip
    seen = crossing.gateway.accesses.wills(cast.name("A"), own)["registers"]
    local = crossing.gateway.accesses.wills(cast.name("A"), crossing.world.caller, PROVIDER)["registers"]

    assert [(PROVIDER, [])] == [(one["provider"], one["wills"]) for one in seen]
    assert {SECOND} == {one["stated_at"] for register in local for one in register["wills"]}


def test_what_a_minors_prohibition_lacks_is_told_to_who_recorded_it(crossing: Crossing) -> None:
    """The record of a minor's prohibition without reason, or of its refusal without grounds, says so. [REC-12]

    Whoever delivers it, or looks at it later, sees the finding; complete it has none.
    """
    cast, _ = crossing.client()
    minor = {"type": "prohibition", "against": "guardian"}
    told = []
    states: list[dict[str, Any]] = [
        {}, {"reason": "Riita."}, {"is_refused": True, "reason": "Riita."},
        {"is_refused": True, "reason": "Riita.", "refusal_grounds": "Lapsen etu."},
    ]  # fmt: skip
    for version, fields in enumerate(states, 1):
        (row,) = chains.deliver(crossing.world, [crossing.will(cast, **minor, **fields, version=version)])
        told.append([(one["rule"], one["severity"], one["pointer"]) for one in row["findings"]])

    assert [[("REC-12", "info", "/reason")], [], [("REC-12", "info", "/refusal_grounds")], []] == told
