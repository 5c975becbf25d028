"""What the trace pages show: a thing's life, and what a cause reached, joined over all rooms."""
