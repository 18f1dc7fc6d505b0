"""The load: rows on their way into the target, and what is preserved beside them."""
