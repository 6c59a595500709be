"""What every command shares: options, the built gateway, and how a result is printed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kanta_gateway.gateway import Gateway
    from kanta_gateway.settings import Settings

WAITS = 3
"""Exit code of what was understood and is not so: some records wait, an act is not allowed."""

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Person = Annotated[str | None, typer.Option("--as", help="Identifier of the person who acts.")]
Name = Annotated[str | None, typer.Option("--name", help="Name of the person who acts.")]
PersonName = Annotated[str | None, typer.Option("--person-name", help="Name of the person who acts.")]
Purpose = Annotated[str | None, typer.Option("--purpose", help="Purpose of use.")]
Lang = Annotated[str | None, typer.Option("--lang", help="fi, sv or en.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Judge as of this day (YYYY-MM-DD).")]

state: dict[str, Any] = {}
"""What was said before the command's name, and what the settings made of it: `data`, `lang`, `own`."""


def settings_of(variables: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """The settings of the data folder that was named.

    Args:
        variables: over those of the environment.
        given: settings that the command's own options state.
    """
    from kanta_gateway.settings import Settings  # noqa: PLC0415 — heavy imports only when a command needs them

    settings = Settings.from_environment({**os.environ, **(variables or {})}, data=state.get("data"), **given)
    state["lang"], state["own"] = settings.lang, settings.own
    return settings


def open_gateway(**given: Any) -> Gateway:
    """The gateway of the data folder that was named.

    Args:
        given: settings that the command's own options state.
    """
    from kanta_gateway.app import build  # noqa: PLC0415 — heavy imports only when a command needs them

    return build(settings_of(**given))


def say(value: Any, *, as_json: bool) -> None:
    """Print a result: JSON as it is, else one line per key."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False, indent=1))
        return
    for key, one in value.items():
        if isinstance(one, dict):
            print(f"{key}:")
            for name, number in one.items():
                print(f"  {name}: {json.dumps(number, ensure_ascii=False) if isinstance(number, dict) else number}")
        elif isinstance(one, list):
            print(f"{key}:")
            for item in one:
                print(f"  {item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)}")
        else:
            print(f"{key}: {one}")
