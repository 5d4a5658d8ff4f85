"""From alarm to a human who has taken responsibility. No MQTT, no SQL, no HTTP server here."""
