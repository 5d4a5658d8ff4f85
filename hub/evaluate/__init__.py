"""Measures the detectors on real recordings, and fits what they learn. Never runs in the hub."""
