"""Simulated devices against real brokers."""
