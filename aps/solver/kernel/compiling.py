"""The compiler's two decorators for functions that only change arrays given to them.

They are compiled without numba's reference counting (``_nrt=False``): counting the references to
the arrays of a ``Board`` on every access took most of the time of a move (103 microseconds with
it, 8 without, on a plant of 341 operations). The price: such a function cannot make arrays, lists
or strings; numba says so when it compiles.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])
_njit: Any = numba.njit  # its types do not know ``_nrt``


def _fingerprint() -> str:
    """Of all sources here. Numba looks only at the file of the function itself when it reads its
    cache, and would go on with old copies of what that function calls in other files."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


_FINGERPRINT = _fingerprint()


def _compiled(function: Callable[..., Any], **options: bool) -> Any:
    made = _njit(nogil=True, _nrt=False, **options)(function)
    if not hasattr(made, "enable_caching"):  # the compiler is switched off
        return made
    with suppress(RuntimeError):  # no place to write: every process compiles for itself
        made.enable_caching()
        made._cache._cache_file._source_stamp = _FINGERPRINT
    return made


def in_place(function: F) -> F:
    """``function`` as machine code kept beside the source; runs without Python's lock (GIL)."""
    return cast(F, _compiled(function))


def inlined(function: F) -> F:
    """As ``in_place``, and copied into each caller: for the innermost steps."""
    return cast(F, _compiled(function, forceinline=True))
