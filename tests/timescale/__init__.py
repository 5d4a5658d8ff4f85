"""The real extension: what migrations, policies and queries do on TimescaleDB itself."""
