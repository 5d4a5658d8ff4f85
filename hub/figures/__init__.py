"""What Prometheus is shown: one table, from which registry, page, dashboard and rules come."""
