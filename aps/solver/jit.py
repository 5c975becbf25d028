"""Numba's compiler behind typed decorators, so that only this module knows it has no types.

The machine code is kept beside the source (``__pycache__``) and reused by the next process. Where
that directory is read-only, numba keeps it in the user's cache directory; the environment variable
``NUMBA_CACHE_DIR`` names another place. Where none of them can be written, each process compiles
anew, which takes it some ten seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])
_njit: Any = numba.njit  # its types do not know ``_nrt``


def in_place(function: F) -> F:
    """``function`` as machine code, compiled at its first call; runs without Python's lock (GIL).

    For functions that only change the arrays given to them: without numba's counting of references
    (``_nrt=False``), which at every access to an array in a tuple cost two thirds of a tabu move
    and nine tenths of a plant's. Such a function cannot make arrays, lists or strings.
    """
    return cast(F, _compile(function))


def inlined(function: F) -> F:
    """As ``in_place``, and copied into each caller: for the innermost steps."""
    return cast(F, _compile(function, forceinline=True))


def _compile(function: Callable[..., Any], **options: bool) -> Any:
    try:
        made = _njit(cache=True, nogil=True, _nrt=False, **options)(function)
    except RuntimeError:  # there is no place to keep the machine code
        return _njit(nogil=True, _nrt=False, **options)(function)
    if hasattr(made, "_cache"):  # not where NUMBA_DISABLE_JIT switched the compiler off
        folder = Path(function.__code__.co_filename).parent
        made._cache._cache_file._source_stamp = _fingerprint(folder)
    return made


@cache
def _fingerprint(folder: Path) -> str:
    """Of all modules in the folder. Numba itself compares the file of the function alone, and
    would go on with old copies of what that function calls in the files beside it."""
    digest = sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
