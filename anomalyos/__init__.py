"""AnomalyOS: learns what normal looks like, finds what is not, and lets people review it."""

__version__ = "0.1.0"
