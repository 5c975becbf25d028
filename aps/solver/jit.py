"""Numba's compiler behind one typed decorator, so that only this module knows it has no types.

The machine code is kept beside the source (``__pycache__``) and reused by the next process. Where
that directory is read-only, numba keeps it in the user's cache directory instead; the environment
variable ``NUMBA_CACHE_DIR`` chooses another place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def in_place(function: F) -> F:
    """As ``compiled``, for functions that only change the arrays given to them.

    Without numba's counting of references (``_nrt=False``), which at every access to an array in a
    tuple cost two thirds of a tabu move; such a function cannot make arrays or lists.
    """
    return cast(F, njit(cache=True, nogil=True, _nrt=False)(function))


def compiled(function: F) -> F:
    """``function`` as machine code, compiled at its first call; runs without Python's lock (GIL).

    It may use numbers, booleans, tuples and NumPy arrays, and call other compiled functions.
    """
    return cast(F, njit(cache=True, nogil=True)(function))
