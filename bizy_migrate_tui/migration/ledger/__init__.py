"""The ledger: what each run brought, kept in the target itself."""
