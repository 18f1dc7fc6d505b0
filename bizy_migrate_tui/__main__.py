"""Lets `python -m bizy_migrate_tui` do what the command does."""

from bizy_migrate_tui.cli import main

if __name__ == "__main__":
    main()
