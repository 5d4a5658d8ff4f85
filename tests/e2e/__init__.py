"""A real browser on a real hub."""
