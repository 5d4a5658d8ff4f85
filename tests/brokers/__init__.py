"""Brokers of several makes: who comes in, what gets lost, what is encrypted."""
