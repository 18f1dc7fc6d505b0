"""What a move needs, checked before it begins, and made where it is missing."""
