"""The page that tells who sees what, made of the policy files (`python -m tests.references` writes it)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from kanta_gateway import knowledge

SCOPES = {
    "all": "its own organisation's register", "client": "the one client that its assertion names, in its own register",
    "given": "what is given to it across registers", "own": "its own organisation's things",
}  # fmt: skip
INTRODUCTION = (
    "# Who sees what", "",
    "Made of `mappings/policy` and `schemas/records` by `python -m tests.references`.", "",
    "What somebody sees is decided in four steps, and each one only takes away:",
    ("1. The policy decides whether the act is allowed ([access](reference-access.md)): row of 703/2023, role, "
     "purpose, and the maximum of STM 457/2024 for each class of the data."),
    ("2. What is outside the caller's organisation, register or client is not there for it: 404, and an entry of the "
     "log."),
    "3. Of a list or a count, what the caller's task may not see is left out before it is counted.",
    ("4. The answer leaves by the list of its role and purpose: a field on no list is left out, and without a list the "
     "answer is 403."), "",
    ("The fourth step is one place for the HTTP face (`intake/gate.py`), which reads the bytes that are about to "
     "leave, and one for commands (`cli/common.py`)."),
    ("An installation's own `mappings/policy/views.yaml` may show less than the package's, never more; the start "
     "refuses it otherwise."),
    "`client` and `payer` call nothing: they are given the access report and the notice by the lists of their names.",
)  # fmt: skip


def page() -> Iterator[str]:
    """The lines of the page."""
    roles, duties, views = (
        yaml.safe_load(knowledge.text(f"mappings/policy/{name}.yaml")) for name in ("roles", "duties", "views")
    )
    yield from INTRODUCTION
    yield from _matrix(views["answers"], list(roles["roles"]))
    yield from _roles(roles["roles"], duties["roles"])
    yield from _classes(duties)
    yield from _lists(views["answers"])


def _matrix(answers: Mapping[str, Any], roles: list[str]) -> Iterator[str]:
    yield from (
        "", "## Matrix", "",
        "● content, or everything of it; ○ the fields of its list; Σ totals only; empty: nothing.", "",
        f"| answer | {' | '.join(f'`{one}`' for one in roles)} |", "|---" * (len(roles) + 1) + "|",
    )  # fmt: skip
    for one in answers.values():
        yield f"| {one['text']['en']} | {' | '.join(_mark(one, role) for role in roles)} |"


def _mark(answer: Mapping[str, Any], role: str) -> str:
    rows = [row for row in answer["see"] if role in row["roles"]]
    if not rows:
        return ""
    if all(row.get("totals_of") for row in rows):
        return "Σ"
    return "●" if any({"content", "**"} & set(row["fields"]) for row in rows) else "○"


def _roles(roles: Mapping[str, Any], tasks: Mapping[str, str]) -> Iterator[str]:
    yield from ("", "## Roles", "", "| role | task of STM 457/2024 | knows of | may, for which purposes |",
                "|---|---|---|---|")  # fmt: skip
    for name, one in roles.items():
        may = "; ".join(
            f"{', '.join(f'`{event}`' for event in rule['actions'])} ({', '.join(rule['purposes'])})"
            for rule in one["rules"]
        )
        yield f"| `{name}` | `{tasks[name]}` | {SCOPES[one['scope']]} | {may.replace('(*)', '(any)') or 'nothing'} |"


def _classes(duties: Mapping[str, Any]) -> Iterator[str]:
    by_class: dict[str, list[str]] = {}
    for name, text in knowledge.texts("schemas/records", suffix=".json").items():
        by_class.setdefault(json.loads(text)["x-data-class"], []).append(name)
    on_behalf = duties["on_behalf"]
    yield from (
        "", "## Classes of data", "",
        ("The class stands on the record type (`x-data-class`), the service task on the product that the client's "
         "decision grants."),
        "A type without a class is `other`, which fewest may see.", "",
        "| class | record types |", "|---|---|",
    )  # fmt: skip
    yield from (f"| `{kind}` | {', '.join(f'`{one}`' for one in sorted(names))} |"
                for kind, names in sorted(by_class.items()))  # fmt: skip
    yield ""
    yield from (f"Where a producer works for the controller, `{kind}` is `{taken}` (703/2023 §13)."
                for kind, taken in on_behalf.items())  # fmt: skip


def _lists(answers: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## Lists", "", "A path passes through lists; `*` is any one name, `/**` all below.")
    for name, one in answers.items():
        yield from ("", f"### {one['text']['en']}", "", f"`{name}`, event `{one['event']}`: "
                    + ", ".join(f"`{place}`" for place in one["of"]) + ".", "",
                    "| roles | purposes | fields |", "|---|---|---|")  # fmt: skip
        for row in one["see"]:
            least = f" (totals of at least {row['totals_of']} clients)" if "totals_of" in row else ""
            yield (
                f"| {', '.join(f'`{role}`' for role in row['roles'])} | {', '.join(row.get('purposes', ['any']))} "
                f"| {', '.join(f'`{path}`' for path in row['fields'])}{least} |"
            )
