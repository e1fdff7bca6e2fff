"""Parts of the page Database."""
