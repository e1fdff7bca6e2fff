"""Bands and gaps, by tight binding and by density functional theory."""
