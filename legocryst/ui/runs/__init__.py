"""Parts of the pages that make and list jobs."""
