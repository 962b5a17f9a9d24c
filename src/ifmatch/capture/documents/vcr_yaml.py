"""Load YAML with PyYAML, the extra `vcr`: only plain values come out, whatever tags stand in the text.

Source: YAML 1.1, as PyYAML reads it.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, cast

from ifmatch.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["YamlError", "load_yaml"]


class YamlError(Exception):
    """Say that a text is no YAML.

    Attributes:
        position: index of the character where it goes wrong, None when not known.
    """

    def __init__(self, position: int | None) -> None:
        super().__init__(position)
        self.position = position


def load_yaml(source: str, feature: str) -> object:
    """Load one document.

    Args:
        source: YAML text.
        feature: what needs it, for the message when PyYAML is missing.

    Raises:
        YamlError: it is no YAML.
        MissingExtraError: PyYAML is not installed.
    """
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("vcr", feature) from None
    base = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))

    class Loader(base):  # type: ignore[misc, valid-type]
        """Texts, numbers, lists and mappings; times stay text, other tags count for nothing."""

        yaml_implicit_resolvers = {  # noqa: RUF012 - as the base class has it
            first: [one for one in found if one[0] != "tag:yaml.org,2002:timestamp"]
            for first, found in base.yaml_implicit_resolvers.items()
        }

    def plain(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> object:
        if isinstance(node, yaml.ScalarNode):
            return node.value
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_mapping(cast("yaml.MappingNode", node), deep=True)

    def octets(_: yaml.SafeLoader, node: yaml.Node) -> object:
        value = cast("str", node.value)
        try:
            return base64.b64decode(value)
        except (binascii.Error, ValueError):
            return value

    # Python 2 wrote `!!python/unicode` before each text, others have tags of their own.
    for prefix in ("!", "tag:"):
        Loader.add_multi_constructor(prefix, plain)  # pyright: ignore[reportUnknownMemberType]
    for tag in ("!binary", "tag:yaml.org,2002:binary"):
        Loader.add_constructor(tag, cast("Callable[[yaml.SafeLoader, yaml.Node], object]", octets))
    try:
        return cast("object", yaml.load(source, Loader=Loader))  # noqa: S506 - a safe one
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        raise YamlError(getattr(mark, "index", None)) from error
    except (RecursionError, ValueError, TypeError, OverflowError, AttributeError, KeyError) as error:
        raise YamlError(None) from error
