"""What holds together with the real broker and the real database."""
