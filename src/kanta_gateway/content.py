"""What an installation has of its own: knowledge files, policies, channels, witnesses, settings that are thresholds.

* A piece is a path and bytes; only what the gateway reads is one. Pages and scripts that lie beside are none.
* What is shipped is no piece: it is approved by being shipped, and its version stands in the log.
* A setting is a piece where its value is not the shipped one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from kanta_gateway import knowledge
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.settings import Settings

KNOWLEDGE, POLICY, SETTING = "knowledge/", "policy/", "setting/"
CHANNELS, WITNESSES = "notice-channels", "witnesses"
READ = ("mappings/", "schemas/")


@dataclass(frozen=True, slots=True)
class Terms:
    """What `mappings/changes.yaml` states: the shipped file always, since nobody approves their own terms."""

    review_days: int
    settings: tuple[str, ...]
    preview_purpose: str

    @classmethod
    def load(cls) -> Terms:
        """Read the shipped file."""
        stated = yaml.safe_load(knowledge.text("mappings/changes.yaml"))
        return cls(int(stated["review_days"]), tuple(stated["settings"]), str(stated["preview_purpose"]))


def policy_folder(settings: Settings) -> Path:
    """Where an installation's own policies lie."""
    return settings.data / "policy"


def pieces(settings: Settings, policy: Path | None = None) -> dict[str, bytes]:
    """Path -> content of everything of the installation's own that is in place.

    Args:
        settings: the installation's.
        policy: folder of its policies; in the data folder by default.
    """
    return dict(sorted(_pieces(settings, policy or policy_folder(settings))))


def _pieces(settings: Settings, policy: Path) -> Iterator[tuple[str, bytes]]:
    own = settings.own
    if own is not None:
        for path in knowledge.own_files(own):
            if path.startswith(READ):
                yield KNOWLEDGE + path, (own / path).read_bytes()
    for one in (*policy.glob("*.cedar"), *policy.glob("rows.yaml")):
        yield POLICY + one.name, one.read_bytes()
    for name, file in ((CHANNELS, settings.notice_channels_file), (WITNESSES, settings.witnesses_file)):
        if file:
            try:
                yield name, Path(file).read_bytes()
            except OSError as error:
                raise MisconfiguredError(f"{name}: its file cannot be read ({type(error).__name__})") from error
    shipped = {one.name: one.default for one in fields(Settings)}
    for name in Terms.load().settings:
        if (value := getattr(settings, name)) != shipped[name]:
            yield SETTING + name, str(value).encode()


def digests(content: Mapping[str, bytes]) -> dict[str, str]:
    """Path -> SHA-256 of each piece."""
    return {path: sha256(one).hexdigest() for path, one in content.items()}


def laid_out(content: Mapping[str, bytes], folder: Path, settings: Settings) -> Settings:
    """Write pieces into a folder; settings that name them there, and no ways out of the gateway.

    Args:
        content: the pieces.
        folder: an empty one; its policies lie in `policy`.
        settings: the installation's.
    """
    write(content, folder)
    kinds: dict[str, Any] = {one.name: type(one.default) for one in fields(Settings)}
    shipped: dict[str, Any] = {one.name: one.default for one in fields(Settings) if one.name in Terms.load().settings}
    told = {name: kinds[name](content[SETTING + name].decode()) for name in shipped if SETTING + name in content}
    own = folder / KNOWLEDGE
    return replace(
        settings, **{**shipped, **told, "witness_quorum": 0}, knowledge=str(own) if own.is_dir() else "",
        notice_channels_file="", witnesses_file="",
    )  # fmt: skip


def write(content: Mapping[str, bytes], folder: Path) -> list[str]:
    """Write pieces into a folder as FOLDER/<path>; the paths."""
    for path, one in content.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(one)
    return list(content)


def texts(content: Mapping[str, bytes], folder: str) -> dict[str, str]:
    """Text of every knowledge file of a folder, by file name without its ending, with these pieces over the package's.

    Args:
        content: the pieces.
        folder: such as `mappings/contracts`.
    """
    own = {path.removeprefix(KNOWLEDGE): one for path, one in content.items()}
    mine = {Path(path).stem: one.decode("utf-8-sig", "replace") for path, one in own.items()
            if path.rpartition("/")[0] == folder}  # fmt: skip
    return {**knowledge.texts(folder), **mine}


def text(content: Mapping[str, bytes], path: str) -> str:
    """Text of one piece, or of the package's file in its place; empty where there is neither."""
    if path in content:
        return content[path].decode("utf-8-sig", "replace")
    shipped = knowledge.root() / path.removeprefix(KNOWLEDGE)
    return shipped.read_text("utf-8-sig") if path.startswith(KNOWLEDGE) and shipped.is_file() else ""
