"""The source: its snapshot, the workbook beside it, and the inventory of what is really in it."""
