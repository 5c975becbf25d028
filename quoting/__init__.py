"""Cost roll-up, quotes, margin against history. Not filled yet."""
