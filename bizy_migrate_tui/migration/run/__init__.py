"""The run: one transaction with its proof, COMMIT, and the checks of a fresh connection."""
