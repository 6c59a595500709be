"""Papers of the configuration: list, write, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kanta_gateway.cli.common import WAITS, Json, Lang, Name, Person, Purpose, open_gateway, say

papers = typer.Typer(no_args_is_help=True, help="Papers of the configuration in force: list, write, check.")
GROUPS = {"papers": papers}
"""Groups of commands by their names."""


@papers.command("list")
def list_papers(
    person: Person = None, name: Name = None, purpose: Purpose = None, lang: Lang = None, *, as_json: Json = False
) -> None:
    """Which papers there are, and what each is about."""
    gateway = open_gateway(lang=lang)
    told = gateway.papers.listed(gateway.actor(person, name, purpose), gateway.settings.lang)
    if as_json:
        say(told, as_json=True)
        return
    for one in told["papers"]:
        print(f"{one['paper']:<24} {one['of'] or '-':<32} {one['name']:<32} {one['title']} ({one['basis']})")


@papers.command("write")
def write_papers(
    folder: Path,
    paper: Annotated[str, typer.Option(help="Only this paper, as `papers list` calls it.")] = "",
    of: Annotated[str, typer.Option(help="Only about this organisation or contract.")] = "",
    languages: Annotated[list[str] | None, typer.Option("--language", help="fi, sv or en; may be repeated.")] = None,
    forms: Annotated[list[str] | None, typer.Option("--form", help="html or docx; may be repeated.")] = None,
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Write papers into a folder, each as it follows from the configuration now; exit 3 when there is none such."""
    gateway = open_gateway()
    caller = gateway.actor(person, name, purpose)
    told = gateway.papers.write(
        caller, folder, paper=paper, of=of, languages=languages or ["fi"], forms=forms or ["html", "docx"]
    )
    say(told, as_json=as_json)
    raise typer.Exit(0 if told["written"] else WAITS)


@papers.command("check")
def check_paper(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    person: Person = None, name: Name = None, purpose: Purpose = None, *, as_json: Json = False,
) -> None:  # fmt: skip
    """Tell whether a paper is up to date and its file as it was made; exit 0 when both, else 3."""
    gateway = open_gateway()
    told = gateway.papers.check(gateway.actor(person, name, purpose), file.read_bytes())
    say(told, as_json=as_json)
    raise typer.Exit(0 if told["up_to_date"] and told["file_is_as_made"] else WAITS)
