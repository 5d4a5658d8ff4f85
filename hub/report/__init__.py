"""One incident as a report that people read: its facts, the words, and two ways to print them."""
