"""The target: how it is reached, its schema, its indexes and sequences, its accounts."""
