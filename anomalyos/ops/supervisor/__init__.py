"""Starts everything a laptop needs, watches it, and leaves nothing running behind."""
