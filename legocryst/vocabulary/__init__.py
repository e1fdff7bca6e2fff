"""Words: columns with their units, terms of the glossary, works to cite."""
