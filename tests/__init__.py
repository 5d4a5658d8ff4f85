"""Tests: promises on a hand-moved clock."""
