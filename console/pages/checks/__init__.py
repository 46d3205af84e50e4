"""Data checks: what was asked of a night's images and of those that are learned from."""
