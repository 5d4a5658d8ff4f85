"""The settings' keys, one module a noun; `hub.settings` puts them together."""
