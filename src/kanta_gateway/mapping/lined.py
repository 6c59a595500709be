"""YAML whose objects know the line they stand on, so that every rule can name its place."""

from __future__ import annotations

from typing import Any

import yaml


class Lined(dict[str, Any]):
    """An object of a YAML file, with the line of each of its keys."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}
        self.doubles: list[str] = []
        """Keys that stand twice: YAML would silently keep the last."""


def read(text: str) -> Any:
    """The content of a YAML text; line numbers begin at 1.

    Raises:
        yaml.YAMLError: the text is no YAML.
    """
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        return None if node is None else _plain(node, loader)
    finally:
        loader.dispose()


def _plain(node: yaml.Node, loader: yaml.SafeLoader) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one, loader) for one in node.value]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node, deep=True)
    made = Lined()
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        if key in made:
            made.doubles.append(key)
        made[key] = _plain(value_node, loader)
        made.lines[key] = key_node.start_mark.line + 1
    return made
