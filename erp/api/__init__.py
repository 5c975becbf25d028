"""The store over HTTP: receive, move, count, hold; the same services as the pages."""
