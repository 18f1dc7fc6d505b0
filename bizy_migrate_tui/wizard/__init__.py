"""The wizard: a Textual app over the core."""
