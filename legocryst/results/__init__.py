"""What leaves the database: selections as archives, citations, and answers to SQL."""
