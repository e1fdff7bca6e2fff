"""How alike two crystals are: distances, duplicates, powder patterns."""
