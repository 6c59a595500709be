"""The scanner: what it masks, what it leaves, and what turvakielto adds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests import corpus

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.model import CLASSES, Level, Node, Oid, Tree, ValueKind
from kanta_gateway.privacy.fingerprint import ClientGuard, Fingerprints
from kanta_gateway.privacy.minimise import minimise, sift
from kanta_gateway.privacy.reading import Reading
from kanta_gateway.privacy.scan import Scanner

SCANNER = Scanner.load((Path(__file__).parents[3] / "mappings/privacy.yaml").read_text("utf-8"))
PRINTS = Fingerprints(b"k" * 32)
CONTACT = {
    "street_address": "Haavikonraito 17 as 2",
    "postal_code": "99970",
    "town": "Lehtikangasjoki",
    "telephone": "049 833 4455",
}


def _guard(contact: dict[str, str] = CONTACT, *, is_secret: bool = True) -> ClientGuard:
    return PRINTS.guard(PRINTS.of_contact(contact), is_secret)


def _classes(text: str, guard: ClientGuard | None = None) -> dict[str, int]:
    return dict(SCANNER.mask(text, is_contact=False, guard=guard)[1])


@pytest.mark.parametrize(
    ("text", "cls"),
    [
        ("Parina (080891W9059) oli", "identity-code"),
        ("080891w9059", "identity-code"),
        ("080891 W 9059", "identity-code"),
        ("080891W9051", "identity-code"),
        ("111170\u2013919N", "identity-code"),
        ("080891 W 905 9 oli", "identity-code"),
        ("08.08.91W9059", "identity-code"),
        ("080891\nW9059", "identity-code"),
        ("hetu080891W9059", "identity-code"),
        ("tilille FI49 9210 0001 1445 56.", "account-number"),
        ("FI4992100001144556", "account-number"),
        ("SE45 5000 0000 0583 9825 7466 on", "account-number"),
        ("FI49  9210  0001  1445  56", "account-number"),
        ("FI49 9210 0001\n1445 56", "account-number"),
        ("FI49.9210.0001.1445.56", "account-number"),
        ("IBANFI4992100001144556", "account-number"),
        ("tiliFI4992100001144556", "account-number"),
        ("p. 049 833 4455", "telephone"),
        ("puh0498334455", "telephone"),
        ("049 833\n4455", "telephone"),
        ("045\u2011123\u20114567", "telephone"),
        ("045\u2212123\u22124567", "telephone"),
        ("+46 70-123 45 67", "telephone"),
        ("+1 (212) 555-0123", "telephone"),
        ("0046 70 123 45 67", "telephone"),
        ("p.0498334455", "telephone"),
        ("puh:049 8334455", "telephone"),
        ("Raili,049 811 9900", "telephone"),
        ("0400-123456", "telephone"),
        ("(050) 1234567", "telephone"),
        ("+358 49 8334455", "telephone"),
        ("00358 49 833 4455", "telephone"),
        ("016-123 456", "telephone"),
        ("09 123 4567", "telephone"),
    ],
)
def test_masked_for_everybody(text: str, cls: str) -> None:
    """Codes, account and telephone numbers go in every common spelling."""
    assert _classes(text) == {cls: 1}


@pytest.mark.parametrize(
    "text",
    [
        "Tilaus 011125-950 valmistui.",
        "Tilaus 041225-915 valmistui.",
        "klo 0800-1600",
        "klo 9.00\u201315.30, 09:00-15:00",
        "3.10.2025, 03.10.2025, 2025-10-03, 03-10-2025",
        "12 500,50 euroa vuonna 2025",
        "nostaminen yli 10 kg, 7,5 h, 60 min",
        "2025-10-03T09:00:00+03:00",
        "1.2.3.10.90000001.10.0",
        "klo 09.00 10.00 11.00 ja 8.00 12.30 15.45",
        "02/2025-05/2025, 09/2025 10/2025",
        "sn080891W9058",
        "se 20 tuotetta 12 34 56 78 90 12 34 56",
        "FI 2025, FI-96400, fi 12 kpl",
        "0800\u20111600",
    ],
)
def test_look_alikes_stay(text: str) -> None:
    """Order numbers, dates, times, prices and quantities stay character for character."""
    assert SCANNER.mask(text, is_contact=False, guard=None) == (text, {})


def test_quantity_after_a_number_stays() -> None:
    """What follows a telephone number is not taken with it."""
    assert SCANNER.mask("Soita 049 833 4455 2 kertaa", is_contact=False, guard=None)[0] == (
        "Soita [puhelinnumero poistettu] 2 kertaa"
    )


@pytest.mark.parametrize(
    "text", ["049 833 4455,049 811 2233", "049 111 2222/0498334455", "puh-0498334455 ja -0498334455"]
)
def test_numbers_side_by_side(text: str) -> None:
    """Numbers that follow each other without a space are both masked, and so is one behind a hyphen."""
    assert _classes(text) == {"telephone": 2}


@pytest.mark.parametrize("text", ["ver.1.0498334455", "011125-950", "klo 12:045012345"])
def test_other_numbers_stay(text: str) -> None:
    """What stands behind a point or colon of another number is none."""
    assert _classes(text) == {}


def test_contact_field_keeps_its_number() -> None:
    """A contact field keeps the telephone number, unless turvakielto; never an identity code."""
    text = "äiti p. 049 811 9900, 080891W9059"
    kept, counts = SCANNER.mask(text, is_contact=True, guard=_guard(is_secret=False))
    assert "049 811 9900" in kept
    assert counts == {"identity-code": 1}
    assert "049" not in SCANNER.mask(text, is_contact=True, guard=_guard())[0]


@pytest.mark.parametrize(
    ("text", "cls"),
    [
        ("osoite on Haavikonraito 17. Ilmoitettu", "street-address"),
        ("haettiin haavikonraidolta", "street-address"),
        ("asuu Lehtikangasjoella", "town"),
        ("Lehtikangasjoen suunnasta", "town"),
        ("postinumero 99970", "postal-code"),
        ("numero 0498334455", "telephone"),
        ("taksi osoitteesta Mannerinkatu 5 B 12", "street-address"),
        ("muutti Storgatanille, Storgatan 4", "street-address"),
        ("postinumero 00100", "postal-code"),
    ],
)
def test_turvakielto_masks_addresses(text: str, cls: str) -> None:
    """For a client under turvakielto its own data go in any form, and whatever looks like an address."""
    assert cls in _classes(text, _guard())


@pytest.mark.parametrize("form", ["Lahti", "Lahdessa", "Lahteen", "Lahden"])
def test_short_town_in_both_grades(form: str) -> None:
    """A short name is found in both grades of its consonant."""
    assert _classes(f"Kävi {form} eilen", _guard({"town": "Lahti"})) == {"town": 1}


@pytest.mark.parametrize(
    ("town", "form"),
    [
        ("Ii", "Iissä"), ("Ii", "Iihin"), ("Ii", "Iin"), ("Loppi", "Lopella"), ("Orivesi", "Orivedellä"),
        ("Mänttä-Vilppula", "Vilppulassa"), ("Mänttä-Vilppula", "Mäntästä"), ("Nurmes", "Nurmeksessa"),
        ("Kemi", "kemissä"), ("Kemi", "kemiin"), ("Oulu", "oulusta"), ("Lahti", "lahdessa"), ("Turku", "turkuun"),
    ],
)  # fmt: skip
def test_town_in_its_forms(town: str, form: str) -> None:
    """A town is found whatever its name does when it bends, and in small letters where it is a place."""
    assert _classes(f"Kävi {form} eilen", _guard({"town": town})) == {"town": 1}


@pytest.mark.parametrize("text", ["on sallittu ja sallivasti", "kemiallinen aine", "Iines tuli", "porata", "levisi"])
def test_short_town_leaves_ordinary_words(text: str) -> None:
    """A word that only begins as a short town does stays."""
    for town in ("Salla", "Kemi", "Ii", "Pori", "Levi"):
        assert not _classes(text, _guard({"town": town}))


@pytest.mark.parametrize(
    ("street", "form"),
    [
        ("Kelokangas 8", "Kelokankaalla"), ("Aittarinne 6", "Aittarinteen"), ("Ylipenger 2", "Ylipenkereellä"),
        ("Hakataival 3", "hakataipaleella"), ("Nuottanen 4", "Nuottasella"), ("Petäjävesi 1", "Petäjävedellä"),
        ("Niittypelto 8", "Niittypellolla"),
    ],
)  # fmt: skip
def test_street_in_its_forms(street: str, form: str) -> None:
    """A street is found by its name in every grade of its consonants, with the number behind it."""
    masked, counts = SCANNER.mask(
        f"Haettiin {form} 17 eilen", is_contact=False, guard=_guard({"street_address": street})
    )
    assert (masked, counts) == ("Haettiin [osoite poistettu] eilen", {"street-address": 1})


@pytest.mark.parametrize("text", ["Kuntien välinen palvelupolku", "Tuntien 3 määrä", "Vietiin penkit pajalle"])
def test_turvakielto_leaves_ordinary_words(text: str) -> None:
    """Ordinary words that end as a street does stay."""
    assert not _classes(text, _guard())


def test_addresses_stay_without_turvakielto() -> None:
    """Without turvakielto addresses in free text are no matter of this cut."""
    assert not _classes("Haavikonraito 17, 99970 Lehtikangasjoki", _guard(is_secret=False))


def test_fingerprints_tell_nothing() -> None:
    """Fingerprints hold no part of the data, and another key gives others."""
    made = PRINTS.of_contact(CONTACT)
    assert {cls for cls, _ in made} == {"street-address", "postal-code", "town", "telephone"}
    assert not made & Fingerprints(b"x" * 32).of_contact(CONTACT)


def test_an_address_in_one_line() -> None:
    """Postal code and town that stand in the same line as the street are known too."""
    guard = _guard({"street_address": "Haavikonraito 17 as 2, 99970 Lehtikangasjoki"})

    assert _classes("Asuu Lehtikangasjoella.", guard) == {"town": 1}
    assert PRINTS.guard(
        PRINTS.of_contact({"street_address": "Haavikonraito 17, 99970 Lehtikangasjoki"}), is_non_disclosure=False
    ).matches("postal-code", "99970")


def test_contact_data_of_a_client_under_turvakielto() -> None:
    """A contact field keeps an e-mail address and a number, and under turvakielto neither, whosever they are."""
    scan = corpus.scanner()
    text = "oma@posti.example, 049 833 4455, 049 111 2233"
    open_, secret = (
        Reading(dict.fromkeys(CLASSES, Level.MASK), is_contact=True, guard=_guard(is_secret=one))
        for one in (False, True)
    )

    assert scan.sift(text, open_).text == text
    assert (
        scan.sift(text, secret).text == "[sähköposti poistettu], [puhelinnumero poistettu], [puhelinnumero poistettu]"
    )


def test_long_runs_are_linear() -> None:
    """Text made to be slow is done in time that grows with its length only, and holds nothing to mask."""
    slow = ("1 " * 20_000, "Aa-" * 20_000, "a" * 60_000, "FI" * 30_000)

    assert [(text, Counter()) for text in slow] == [
        SCANNER.mask(text, is_contact=False, guard=_guard()) for text in slow
    ]


def test_record_is_walked() -> None:
    """Every string of a record is masked, the identity code's own field and codes are not."""
    content = {"identity_code": "080891W9059", "unit": "049 833 4455", "notes": [{"x": "080891W9059"}]}
    sifted = sift(SCANNER, content, lambda name: None if name == "identity_code" else Reading({}))

    assert sifted.content["identity_code"] == "080891W9059"
    assert sifted.content["notes"] == [{"x": "[henkilötunnus poistettu]"}]
    assert [(one.field, one.cls, one.count) for one in sifted.masked] == [("notes.0.x", "identity-code", 1)]


def test_names_are_no_addresses() -> None:
    """A person whose name is that of the client's town keeps the name, in the record and in the document."""
    guard = _guard({"town": "Lahti", "street_address": "Haavikko 3"})
    content = {"surname": "Lahti", "given_names": "Haavikko 080891W9059", "notes": "Lahti"}
    record = sift(SCANNER, content, lambda _: Reading({}, guard=guard))
    names = (Node("sukunimi", {}, ValueKind.STRING, "Lahti"), Node("kuvaus", {}, ValueKind.STRING, "Lahti"))
    tree, _ = minimise(SCANNER, Tree(Oid("1"), Node("root", {}, children=names)), guard)

    assert record.content == {
        "surname": "Lahti", "given_names": "Haavikko [henkilötunnus poistettu]", "notes": "[paikkakunta poistettu]",
    }  # fmt: skip
    assert [one.value for one in tree.root.children] == ["Lahti", "[paikkakunta poistettu]"]


def test_tree_loses_address_fields() -> None:
    """Under turvakielto the client's address, municipality and telephone fields are dropped, others stay."""

    def leaf(key: str, value: str) -> Node:
        return Node(key, {"fi": key}, ValueKind.STRING, value)

    client = Node("asiakas", {}, children=(leaf("sukunimi", "Niva"), leaf("postinumero", "1"), leaf("kotikunta", "x")))
    tree = Tree(Oid("1"), Node("root", {}, children=(client, leaf("puhelinnumero", "-"))))
    pruned, told = minimise(SCANNER, tree, _guard())
    assert [one.key for one in pruned.root.children[0].children] == ["sukunimi"]
    assert pruned.root.children[1].value == "-"
    assert {one.cls for one in told} == {"postal-code", "town"}
    assert minimise(SCANNER, tree, _guard(is_secret=False)) == (tree, ())


def test_swedish_marks_and_faulty_data() -> None:
    """Marks follow the language; faulty data stop the start."""
    text = (Path(__file__).parents[3] / "mappings/privacy.yaml").read_text("utf-8")
    assert (
        "[personbeteckning borttagen]" in Scanner.load(text, "sv").mask("080891W9059", is_contact=False, guard=None)[0]
    )
    with pytest.raises(MisconfiguredError):
        Scanner.load("marks: {}", "fi")
