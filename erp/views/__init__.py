"""Pages of stock and shortages."""
