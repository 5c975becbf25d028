"""The genealogy ledger: lots, serials, what went into what, shipped to whom. Not filled yet."""
