"""What of an exported graph does not depend on a request, and its value, computed once at capture.

Positions, masks of a fixed shape, tensors of zeros, parameters in another order: all become constants.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from rollup.call import Ref
from rollup.errors import BadGraph

# Checks of what export has fixed; nothing is computed by them.
GUARDS = ("aten._assert", "aten.sym_constrain_range", "aten._async_error")
# Take a tensor for its shape, dtype and device only.
_LIKE = {"zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full", "fill", "zero"}


def is_guard(node: Node) -> bool:
    return str(node.target).startswith(GUARDS)


def depends_on_request(value: Any) -> bool:
    """Whether a value of the program stands anywhere in an argument."""
    return any(isinstance(item, Ref) for item in leaves(value))


def leaves(value: Any) -> Iterator[Any]:
    """What an argument holds, however deep in lists."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, dict):
        yield from leaves(list(value.values()))
    else:
        yield value


def folded(node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The value of a node whose arguments are constants. Raises BadGraph for what is drawn at random."""
    if torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
        raise BadGraph(f"{node.target} is random: no two runs of it agree")
    assert callable(node.target)
    with torch.no_grad():
        return node.target(*args, **kwargs)


def like(node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """The constant of a node that takes a value of the program for its shape only; None for any other node."""
    name = str(node.target).removeprefix("aten.").split(".")[0]
    value = node.meta.get("val")
    if name not in _LIKE or depends_on_request((args[1:], kwargs)) or not isinstance(value, Tensor):
        return None
    example = torch.zeros(node.args[0].meta["val"].shape, dtype=node.args[0].meta["val"].dtype)  # type: ignore[union-attr]
    result = folded(node, (example, *args[1:]), kwargs)
    assert isinstance(result, Tensor)
    return result
