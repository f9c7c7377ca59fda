"""What the compiled kernels need of the machine and numba does not offer: bits of floats, and polynomials without a loop."""

from collections.abc import Callable
from typing import Any, Final

import numba
from llvmlite import ir
from numba.extending import intrinsic

_emitted: Final[Callable[[Callable[..., Any]], Any]] = intrinsic


@_emitted
def bits(typingctx: Any, x: Any) -> Any:  # noqa: ARG001 - numba's protocol
    """Read a float64's bits as an int64."""
    return numba.int64(numba.float64), lambda _context, builder, _signature, args: builder.bitcast(
        args[0], ir.IntType(64)
    )


@_emitted
def from_bits(typingctx: Any, x: Any) -> Any:  # noqa: ARG001 - numba's protocol
    """Read an int64's bits as a float64."""
    return numba.float64(numba.int64), lambda _context, builder, _signature, args: builder.bitcast(
        args[0], ir.DoubleType()
    )


@_emitted
def regrouped_sum(typingctx: Any, a: Any, b: Any) -> Any:  # noqa: ARG001 - numba's protocol
    """Add in whatever order is quickest: a loop that sums by this is vectorised."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fadd(*args, flags=("reassoc",))

    return numba.float64(numba.float64, numba.float64), codegen


def _step(builder: Any, total: Any, x: Any, addend: Any) -> Any:
    return builder.fadd(builder.fmul(total, x, flags=("contract",)), addend, flags=("contract",))


def _constant(value: float) -> Any:
    return ir.Constant(ir.DoubleType(), value)


def polynomial(coefficients: tuple[float, ...]) -> Any:
    """Make Horner's rule on even and odd powers apart, which is half the wait; unrolled, so that the loop over options vectorises."""

    @_emitted
    def evaluate(typingctx: Any, x: Any) -> Any:  # noqa: ARG001 - numba's protocol
        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            square = builder.fmul(args[0], args[0], flags=("contract",))
            even, odd = (_horner(builder, square, coefficients[first::2]) for first in (0, 1))
            return _step(builder, odd, args[0], even)

        return numba.float64(numba.float64), codegen

    return evaluate


def _horner(builder: Any, x: Any, coefficients: tuple[float, ...]) -> Any:
    total = _constant(coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = _step(builder, total, x, _constant(coefficient))
    return total


def divided_difference(coefficients: tuple[float, ...]) -> Any:
    """Make p(b) and (p(a) - p(b)) / (a - b), unrolled."""

    @_emitted
    def evaluate(typingctx: Any, a: Any, b: Any) -> Any:  # noqa: ARG001 - numba's protocol
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value, slope = _constant(coefficients[-1]), _constant(0.0)
            for coefficient in coefficients[-2::-1]:
                slope = _step(builder, slope, args[0], value)
                value = _step(builder, value, args[1], _constant(coefficient))
            return context.make_tuple(builder, signature.return_type, (value, slope))

        return numba.types.UniTuple(numba.float64, 2)(numba.float64, numba.float64), codegen

    return evaluate
