"""What a knowledge file states: YAML that knows its lines, and every mistake told with file, line and nearest word.

* A key that stands twice, a tab, an unclosed quote and a date that is none are mistakes with a line, never a traceback.
* `yes`, `no`, `on` and `off` as keys are the words as written; YAML would make truth values of them.
* This module sees text only; JSON is read as the YAML that it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

import yaml

from kanta_gateway.errors import MisconfiguredError

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where there is one: several times as fast."""
_MOST_VALUES = 200_000
"""Values in one file, those repeated by an alias counted each time: more is a mistake or malice."""
_ALIKE, _ALIKE_IF_SHORT, _SHORT = 0.7, 0.6, 4
"""How alike a known word must be to be suggested (0 to 1); in a word of few letters one is much."""


class Lined(dict[Any, Any]):
    """An object of a file, with the line of each of its keys."""

    def __init__(self, line: int = 0) -> None:
        super().__init__()
        self.line = line
        """Where it begins; 0 for one that stands in no file."""
        self.lines: dict[Any, int] = {}
        """Also of keys whose value was left out for its form (`shapes`)."""
        self.doubles: list[str] = []
        """Keys that stand twice: YAML would silently keep the last."""

    def at(self, key: Any) -> int:
        """The line of a key; of the object where the key is lacking."""
        return self.lines.get(key, self.line)


class Mistakes:
    """Collects what is wrong in one file, each with its line."""

    def __init__(self, file: str) -> None:
        self.file = file
        """Such as `sources/acme.yaml`."""
        self.told: list[str] = []

    def say(self, line: int, what: str) -> None:
        """Tell one mistake.

        Args:
            line: of the file, from 1; 0 where none can be named.
            what: is wrong, and the next step.
        """
        told = f"{self.file}:{line}: {what}" if line else f"{self.file}: {what}"
        if told not in self.told:
            self.told.append(told)

    def end(self) -> None:
        """Refuse the file if there was anything.

        Raises:
            MisconfiguredError: with every mistake on a line of its own.
        """
        if self.told:
            raise MisconfiguredError(mistakes=self.told)


def nearest(word: object, known: Iterable[object]) -> str:
    """`; did you mean X?` for the most similar known word, or nothing.

    Args:
        word: as it stands in the file.
        known: words that could stand there.
    """
    alike = _ALIKE_IF_SHORT if len(str(word)) <= _SHORT else _ALIKE
    by_fold = {str(one).casefold(): str(one) for one in known}
    found = difflib.get_close_matches(str(word).casefold(), by_fold, n=1, cutoff=alike)
    return f"; did you mean {by_fold[found[0]]}?" if found else ""


def listed(known: Iterable[object]) -> str:
    """Known words for a message, in their order; of many only how many there are is worth telling."""
    words = [str(one) for one in known]
    return ", ".join(words[:40]) + (f" and {len(words) - 40} more" if len(words) > 40 else "")


def read(text: str, mistakes: Mistakes, *, is_text_keyed: bool = False) -> Any:
    """The content of a file; its objects are `Lined`.

    Args:
        text: YAML or JSON.
        mistakes: gets what is wrong with single values.
        is_text_keyed: whether numbers as keys are texts as well.

    Raises:
        MisconfiguredError: it is no YAML; the line is told.
    """
    loader = value = None
    try:
        loader = _LOADER(text)
        node = loader.get_single_node()
        value = None if node is None else _Builder(loader, mistakes, is_text_keyed=is_text_keyed).value(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else 0
        mistakes.say(line + 1, _layout(error, "".join(text.splitlines()[line : line + 1])))
    except yaml.reader.ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        mistakes.say(before.count("\n") + 1, "a control character, which YAML cannot hold; remove it")
    else:
        return value
    finally:
        if loader is not None:
            loader.dispose()
    raise MisconfiguredError(mistakes=mistakes.told)


def plain(text: str) -> Any:
    """The content of a shipped file as plain objects: without lines, for files that a deployment does not write.

    Args:
        text: YAML.

    Raises:
        yaml.YAMLError: it is no YAML.
    """
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 — the safe loader, or the same in libyaml


def _layout(error: yaml.MarkedYAMLError, line: str) -> str:
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab stands at the beginning; YAML is indented with spaces"
    return f"no readable YAML: {error.problem or error.context}; look at indentation, colons and quotes up to here"


class _Builder:
    """Makes values of nodes, and tells what YAML itself would keep silent about."""

    def __init__(self, loader: Any, mistakes: Mistakes, *, is_text_keyed: bool) -> None:
        self._loader, self._mistakes, self._is_text_keyed = loader, mistakes, is_text_keyed
        self._open: set[int] = set()
        self._made = 0

    def value(self, node: yaml.Node) -> Any:
        """What a node holds."""
        line = node.start_mark.line + 1
        self._made += 1
        if id(node) in self._open or self._made > _MOST_VALUES:
            raise yaml.MarkedYAMLError(problem="an alias that repeats without end", problem_mark=node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, line)
        self._open.add(id(node))
        made = self._list(node) if isinstance(node, yaml.SequenceNode) else self._object(node, line)
        self._open.discard(id(node))
        return made

    def _list(self, node: yaml.SequenceNode) -> list[Any]:
        return [self.value(one) for one in node.value]

    def _object(self, node: Any, line: int) -> Lined:
        made = Lined(line)
        has_merge = any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value)
        if has_merge:
            self._loader.flatten_mapping(node)
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key in made and not has_merge:
                made.doubles.append(str(key))
                told = f"{key} stands twice, first on line {made.lines[key]}; remove one"
                self._mistakes.say(key_node.start_mark.line + 1, told)
            made[key] = self.value(value_node)
            made.lines[key] = key_node.start_mark.line + 1
        return made

    def _key(self, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key that is no word", problem_mark=node.start_mark)
        is_number = node.tag == "tag:yaml.org,2002:int" and not self._is_text_keyed
        return self._scalar(node, node.start_mark.line + 1) if is_number else node.value

    def _scalar(self, node: yaml.ScalarNode, line: int) -> Any:
        try:
            return self._loader.construct_object(node, deep=True)
        except ValueError:
            self._mistakes.say(line, f"{node.value} looks like a date or number and is none; correct or quote it")
            return node.value
