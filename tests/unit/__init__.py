"""What holds without any server."""
