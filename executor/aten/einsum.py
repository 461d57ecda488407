"""Einstein sums of any number of operands, two at a time: permutations around a product of matrices.

Letters that all operands and the result have stay dimensions of their own, so that requests stay apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from executor.aten.common import permuted, view
from executor.aten.contractions import product
from executor.aten.reductions import reduced
from executor.emitter import Arguments, Emitter, Handler, NeedsDecomposition, Operand
from rollup.call import Function

# Letters that stand for what an ellipsis covers, last dimension last.
_COVERED = "ABCDEFG"


def einsum(emit: Emitter, args: Arguments) -> Operand:
    operands: list[Operand] = args["tensors"]
    inputs, wanted = _letters(args["equation"], [len(emit.shape(x)) for x in operands])
    sizes: dict[str, int] = {}
    for letters, x in zip(inputs, operands, strict=True):
        for letter, size in zip(letters, emit.shape(x), strict=True):
            if sizes.setdefault(letter, size) != size or letters.count(letter) > 1:
                raise NeedsDecomposition(f"einsum {args['equation']!r} with diagonals or broadcasting is not supported")
    names, total = inputs[0], operands[0]
    for place in range(1, len(operands)):
        later = set(wanted).union(*inputs[place + 1 :])
        names, total = _product(emit, (names, total), (inputs[place], operands[place]), later)
    names, total = _summed(emit, (names, total), set(wanted))
    return permuted(emit, total, [names.index(letter) for letter in wanted])


def _letters(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """Letters of each operand's dimensions and of the result's."""
    left, arrow, wanted = equation.replace(" ", "").partition("->")
    inputs = []
    widest = 0
    for letters, rank in zip(left.split(","), ranks, strict=True):
        covered = rank - len(letters.replace("...", ""))
        widest = max(widest, covered)
        inputs.append(letters.replace("...", _COVERED[len(_COVERED) - covered :]))
    if not arrow:
        once = sorted(letter for letter in set(left) if letter.isalpha() and left.count(letter) == 1)
        wanted = ("..." if "..." in left else "") + "".join(once)
    return inputs, wanted.replace("...", _COVERED[len(_COVERED) - widest :])


Named = tuple[str, Operand]


def _product(emit: Emitter, first: Named, second: Named, later: set[str]) -> Named:
    """Of two; letters that nothing later needs are summed over."""
    (left, a), (right, b) = (
        _summed(emit, each, later | set(other[0])) for each, other in ((first, second), (second, first))
    )
    both = [letter for letter in left if letter in right and letter in later]
    inner = [letter for letter in left if letter in right and letter not in later]
    rows, columns = ([letter for letter in own if letter not in other] for own, other in ((left, right), (right, left)))
    sizes = dict(zip(left + right, (*emit.shape(a), *emit.shape(b)), strict=True))

    def arranged(x: Operand, names: str, *groups: Sequence[str]) -> Operand:
        order = [names.index(letter) for group in (both, *groups) for letter in group]
        merged = [prod(sizes[letter] for letter in group) for group in groups]
        return view(emit, permuted(emit, x, order), (*(sizes[letter] for letter in both), *merged))

    result = product(emit, arranged(a, left, rows, inner), arranged(b, right, inner, columns))
    names = [*both, *rows, *columns]
    return "".join(names), view(emit, result, tuple(sizes[letter] for letter in names))


def _summed(emit: Emitter, named: Named, kept: set[str]) -> Named:
    """Without the letters that nothing needs."""
    names, x = named
    gone = [place for place, letter in enumerate(names) if letter not in kept]
    if not gone:
        return named
    return "".join(letter for letter in names if letter in kept), reduced(emit, Function.SUM, x, gone, False)


HANDLERS: dict[str, Handler] = {"aten.einsum.default": einsum}
