"""A whole company's folder of CSV files, from its items to its open orders; see docs/import.md."""
