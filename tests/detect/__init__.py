"""Detectors against one conformance suite."""
