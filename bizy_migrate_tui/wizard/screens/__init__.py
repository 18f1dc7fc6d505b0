"""One screen for each step, each beside its sheet."""
