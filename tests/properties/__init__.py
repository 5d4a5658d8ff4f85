"""Rules that hold for every input: hypothesis looks for the one they do not."""
