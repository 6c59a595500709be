"""What every command shares: options, the built gateway, and how a result is printed.

Whatever a command reads for a person is shown by the person's list of fields (`mappings/policy/views.yaml`), as the
HTTP face shows it: `say` does so, and a command that prints by itself asks `shown` first.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kanta_gateway.cli.printing import lines
from kanta_gateway.errors import NotPermittedError

if TYPE_CHECKING:
    from kanta_gateway.access.views import Sight
    from kanta_gateway.gateway import Gateway
    from kanta_gateway.settings import Settings

WAITS = 3
"""Exit code of what was understood and is not so: some records wait, an act is not allowed."""

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Person = Annotated[str | None, typer.Option("--as", help="Identifier of the person who acts.")]
Provider = Annotated[str, typer.Option(help="OID of the provider, where several have the number.")]
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


def open_gateway(*, may_make_keys: bool = False, **given: Any) -> Gateway:
    """The gateway of the data folder that was named.

    Args:
        may_make_keys: whether keys that are missing are made in production too.
        given: settings that the command's own options state.
    """
    gc.disable()  # what is read at the start stays to the end: looking for garbage in it takes a sixth of the time
    try:
        from kanta_gateway.app import build  # noqa: PLC0415 — heavy imports only when a command needs them

        gateway = build(settings_of(**given), may_make_keys=may_make_keys)
    finally:
        gc.enable()
    state["gateway"] = gateway
    return gateway


def sight() -> Sight | None:
    """What the acting person is shown of the command's answer; None where nobody acts or no client's data is told.

    Raises:
        NotPermittedError: no list of the command's answer is the person's.
    """
    gateway: Gateway | None = state.get("gateway")
    caller, place = gateway.acting if gateway is not None else None, _place()
    if gateway is None or caller is None:
        return None
    views = gateway.parts.views
    answer = views.answer_at(place) if views.knows(place) else None
    if answer is None and views.knows(place):
        return None
    found = views.sight(answer.name, caller.role, caller.purpose) if answer is not None else None
    if found is None:
        raise NotPermittedError(
            f"nothing of `{place}` is shown to the role for this purpose (mappings/policy/views.yaml)"
        )
    return found


def shown(value: Any) -> Any:
    """A result as the acting person is shown it.

    Raises:
        NotPermittedError: no list of the command's answer is the person's.
    """
    seen = sight()
    return value if seen is None else seen.shown(value)


def check_content() -> None:
    """Refuse an answer that is no JSON unless the acting person is shown it.

    Raises:
        NotPermittedError: it is not on the person's list.
    """
    seen = sight()
    if seen is not None and not seen.has_content:
        raise NotPermittedError(f"`{_place()}` is not shown to the role for this purpose (mappings/policy/views.yaml)")


def _place() -> str:
    """The command's name with its group, as the lists name it."""
    names: list[str] = []
    context = typer.main.get_current_context()  # type: ignore[attr-defined]  # typer has a click of its own inside
    while context.parent is not None:
        names.insert(0, context.info_name or "")
        context = context.parent
    return " ".join(names)


def say(value: Any, *, as_json: bool) -> None:
    """Print what the acting person is shown of a result: as JSON, else one line per key."""
    tell(shown(value), as_json=as_json)


def tell(value: Any, *, as_json: bool) -> None:
    """Print what has been shown already: as JSON, else one line per key."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False, indent=1))
        return
    for line in lines(value):
        print(line)
