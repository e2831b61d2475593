"""What a column is and what a value means: roles, headings, canonical forms, grammars (pure)."""
