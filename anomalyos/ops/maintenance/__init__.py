"""Keeping a home in order: retention, files nobody names, backups, the database itself."""
