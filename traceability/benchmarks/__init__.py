"""The genealogy at its size: a made-up population of two years, and what is measured on it."""
