"""Backup and restore: one file that holds everything a hub must know, and the way back."""
