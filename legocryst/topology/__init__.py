"""Bond graphs: their nets, canonical forms and symbols."""
