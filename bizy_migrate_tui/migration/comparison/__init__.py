"""The comparison: target against source, cell by cell, by another path than the load took."""
