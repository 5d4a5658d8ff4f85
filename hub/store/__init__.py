"""SQL and rows; implements the ports of `alerts`. Nobody else knows a table's name."""
