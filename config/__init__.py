"""Data only: commented defaults and examples, read with `importlib.resources.files("config")`.

This file makes `config` a regular package, which no other `config` later on the path can replace.
"""
