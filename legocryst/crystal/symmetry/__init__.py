"""Space groups: Wyckoff positions, subgroups, normalizers, and crystals written in other settings."""
