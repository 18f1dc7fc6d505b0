"""What each column becomes: `values` reads what SQLite holds, `repairs` mends it, `columns` is the table of it all."""
