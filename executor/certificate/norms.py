"""The error of a norm over a batch, whose mean and deviation are weights like others."""

from __future__ import annotations

from executor.certificate.errors import UNIT_ROUNDOFF, Errors
from rollup.call import Call, Function, Ref
from rollup.expansion.writer import Writer

# The step loses up to 2^-124 of products of its operands, each with 1 added: what is beside each of them.
_LIFT = 2.0**-90
_FLUSHED = 2.0**-120


def batch_norm(errors: Errors, call: Call, _: Ref) -> Ref:
    """|g| (|r| (e + 32 u (|x| + |m|)) + 2 u (1 + |r m| + |r| (|x| + |m|) (1 + r²m²))) + 32 u |bias|, over channels.

    Where u r²m² passes 1/16 the step has no bound any more (PROTOCOL.md, section 5), and this one overflows.
    """
    x, mean, _, rate, *affine = call.operands
    writer, rank = errors.writer, len(errors.writer.shape(call.operands[0]))
    rate = errors.lifted(rate, _LIFT)
    turned = errors.multiply(rate, errors.size(mean))
    steep = errors.multiply(turned, turned)
    beyond = writer.call(Function.ADD, writer.scaled(steep, UNIT_ROUNDOFF), writer.constant(-(2.0**-4)))
    beyond = writer.scaled(writer.call(Function.RELU, beyond), 2.0**70)
    # Per channel: what an element's magnitude counts for, and what stands beside it.
    share = writer.scaled(errors.whole(steep, writer.constant(17.0)), 2 * UNIT_ROUNDOFF)
    beside = writer.scaled(errors.add(turned, writer.constant(1.0)), 2 * UNIT_ROUNDOFF)
    reached = errors.add(errors.size(x), _over_channels(writer, errors.size(mean), rank))
    moved = errors.add(errors.multiply(reached, _over_channels(writer, share, rank)), errors.of(x))
    moved = errors.multiply(moved, _over_channels(writer, rate, rank))
    error = errors.add(moved, _over_channels(writer, beside, rank))
    if affine:
        error = errors.multiply(error, _over_channels(writer, errors.lifted(affine[0], _LIFT), rank))
    rest = [errors.part(ref, 32) for ref in affine[1:]]
    rest += [errors.multiply(beyond, beyond), writer.scaled(rate, _FLUSHED)]
    apart = (_over_channels(writer, ref, rank) for ref in rest)
    return errors.whole(error, writer.scaled(reached, _FLUSHED), *apart)


def _over_channels(writer: Writer, ref: Ref, rank: int) -> Ref:
    return writer.view(ref, *writer.shape(ref), *(1,) * (rank - 2))
