"""The compiler's two decorators for functions that only change arrays given to them.

They are compiled without numba's reference counting (``_nrt=False``): counting the references to
the arrays of a ``Board`` on every access took most of the time of a move (103 microseconds with
it, 8 without, on a plant of 341 operations). The price: such a function cannot make arrays, lists
or strings; numba says so when it compiles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])
_njit: Any = numba.njit  # its types do not know ``_nrt``


def in_place(function: F) -> F:
    """``function`` as machine code kept beside the source; runs without Python's lock (GIL)."""
    return cast(F, _njit(cache=True, nogil=True, _nrt=False)(function))


def inlined(function: F) -> F:
    """As ``in_place``, and copied into each caller: for the innermost steps."""
    return cast(F, _njit(cache=True, nogil=True, _nrt=False, forceinline=True)(function))
