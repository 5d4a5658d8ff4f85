"""The hub watches over itself: loops of the worker around `alerts.assurance`."""
