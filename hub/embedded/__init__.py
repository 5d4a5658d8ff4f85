"""The servers the hub brings along, broker and database, and the tree of processes round them."""
