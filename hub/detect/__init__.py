"""Detectors: pure functions from observations to findings, one file each."""
