"""One way to write a JSON document, so that its hash is the same wherever it is taken."""

import hashlib
import json
from typing import Any


def text(document: Any) -> str:
    """Keys in order, no spaces, every letter as itself."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(document: Any) -> str:
    """SHA-256 over the document's canonical text, in hexadecimal."""
    return hashlib.sha256(text(document).encode()).hexdigest()
