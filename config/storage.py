"""Static files for production: names with a hash of the content, compressed once (brotli, gzip)."""

from typing import Any

from django.contrib.staticfiles.storage import ManifestFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage


def _without_source_maps(patterns: Any) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """The reference patterns of Django less those that follow `sourceMappingURL`.

    Minified third-party files name source maps that are not served; followed, they fail the whole
    collection.
    """
    kept = []
    for extension, rules in patterns:
        rest = tuple(rule for rule in rules if "sourceMappingURL" not in str(rule))
        if rest:
            kept.append((extension, rest))
    return tuple(kept)


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage, deaf to source maps; an unknown name fails where it is used."""

    patterns = _without_source_maps(ManifestFilesMixin.patterns)
    keep_only_hashed_files = True
    manifest_strict = True
