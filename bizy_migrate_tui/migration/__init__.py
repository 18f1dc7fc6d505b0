"""The migration core: knows no screen and no terminal.

Read it in the order in which data flows: `snapshot` → `inventory` → `plan` → `preview` → `run`
(`load`, `proof`, COMMIT) → `verification`; beside them `target`, `schema`, `ledger`, `rollback`, `accounts`, `advice`.
"""
