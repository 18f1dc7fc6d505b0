"""The rollback: what it would do, doing it, and its proof."""
