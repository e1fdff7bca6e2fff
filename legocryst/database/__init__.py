"""The database of all crystals, and what leaves it."""
