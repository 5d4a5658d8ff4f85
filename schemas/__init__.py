"""The message contract between devices and the hub: pure, imported by all, imports nobody."""
