"""The third-party files that are served: one explicit map from static path to npm package file.

Whole `dist` folders are not served: they hold files whose references point nowhere, which
manifest storage refuses, and a page should load only what somebody chose.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import utils
from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage, Storage

NODE_MODULES = Path(settings.BASE_DIR) / "node_modules"

# static path → file below node_modules
VENDOR_FILES = {
    "vendor/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "vendor/tabler-vendors.min.css": "@tabler/core/dist/css/tabler-vendors.min.css",
    "vendor/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "vendor/tabler-theme.min.js": "@tabler/core/dist/js/tabler-theme.min.js",
    "vendor/cytoscape.min.js": "cytoscape/dist/cytoscape.min.js",
    "vendor/cytoscape-dagre.min.js": "cytoscape-dagre/dist/cytoscape-dagre.min.js",
    "vendor/barcode-detector.js": "barcode-detector/dist/iife/ponyfill.js",
    "vendor/zxing_reader.wasm": "zxing-wasm/dist/reader/zxing_reader.wasm",
    "vendor/tom-select.bootstrap5.min.css": "tom-select/dist/css/tom-select.bootstrap5.min.css",
    "vendor/tom-select.base.min.js": "tom-select/dist/js/tom-select.base.min.js",
}


class _VendorStorage(FileSystemStorage):
    """Opens a static path of the map as its file below node_modules."""

    def path(self, name: str) -> str:
        return str(NODE_MODULES / VENDOR_FILES[name.replace("\\", "/")])


class VendorFinder(BaseFinder):
    """Finds the static paths of `VENDOR_FILES`, and nothing else."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.storage = _VendorStorage(location=NODE_MODULES)

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """Report a mapped file that is not there."""
        return [
            Error(
                f"{source} is missing in node_modules.", hint="Run `npm ci`.", id="millstream.E001"
            )
            for source in missing_files()
        ]

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return the file of `path`; a list with `find_all`, as Django's finders do."""
        source = VENDOR_FILES.get(path)
        found = None if source is None else NODE_MODULES / source
        if found is None or not found.exists():
            return []
        return [str(found)] if find_all else str(found)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """Yield each path of the map with the storage that opens it."""
        for path in VENDOR_FILES:
            if not utils.matches_patterns(path, ignore_patterns or ()):
                yield path, self.storage


def missing_files() -> list[str]:
    """The mapped files that are not below node_modules."""
    return [source for source in VENDOR_FILES.values() if not (NODE_MODULES / source).is_file()]
