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

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """``function`` as machine code, compiled at its first call; runs without Python's lock (GIL).

    It may use numbers, booleans, tuples and NumPy arrays, and call other compiled functions.
    """
    return cast(F, _compile(function))


def in_place(function: F) -> F:
    """As ``compiled``, for functions that only change the arrays given to them.

    Without numba's counting of references (``_nrt=False``), which at every access to an array in a
    tuple cost two thirds of a tabu move; such a function cannot make arrays or lists.
    """
    return cast(F, _compile(function, _nrt=False))


def _compile(function: Callable[..., Any], **options: Any) -> Any:
    try:
        made: Any = njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # there is no place to keep the machine code
        return njit(nogil=True, **options)(function)
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
