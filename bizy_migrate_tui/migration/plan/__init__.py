"""The plan: what will happen to every row, and how it looks row by row, before anything is written."""
