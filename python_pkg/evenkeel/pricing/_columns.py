"""Arguments of any shapes made into columns that the kernels can walk."""

from math import prod
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from evenkeel.pricing._erfcx import FloatArray

_T = TypeVar("_T", bound=np.generic)
_FLOAT: Final = np.dtype(np.float64)
_FLAG: Final = np.dtype(np.bool_)


class Columns(NamedTuple):
    """One-dimensional arrays of `size` elements, or of one where an argument is the same for all."""

    shape: tuple[int, ...]
    size: int
    floats: list[FloatArray]
    is_call: npt.NDArray[np.bool_]


def columns(is_call: npt.ArrayLike, *floats: npt.ArrayLike) -> Columns:
    """Broadcast; raises ValueError as numpy does where shapes do not fit."""
    arrays = [np.asarray(a, _FLOAT) for a in floats]
    flag = np.asarray(is_call, _FLAG)
    shape = flag.shape
    if len(shape) == 1:
        for array in arrays:
            if array.shape != shape:
                break
        else:  # nothing to broadcast: what most calls are, and on few options a twentieth of their time
            return Columns(shape, shape[0], arrays, flag)
    for array in arrays:
        if array.shape != shape and array.shape:
            shape = np.broadcast_shapes(shape, array.shape) if shape else array.shape
    return Columns(
        shape,
        prod(shape),
        [a if a.shape == shape and a.ndim == 1 else _column(a, shape) for a in arrays],
        _column(flag, shape),
    )


def _column(array: npt.NDArray[_T], shape: tuple[int, ...]) -> npt.NDArray[_T]:
    if array.size != 1 and array.shape != shape:
        array = np.broadcast_to(array, shape)
    return array if array.ndim == 1 else array.reshape(-1)
