"""The genealogy ledger: lots and serial units; what went into what comes with the after-sales."""
