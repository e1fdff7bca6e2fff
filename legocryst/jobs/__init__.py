"""Jobs: their folders, the processes that work on them, and the pipeline that these run."""
