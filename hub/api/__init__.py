"""What people and programs outside see: REST, the live feed, the page. Knows no SQL and no MQTT."""
