"""Pieces that several pages draw and that need a service."""
