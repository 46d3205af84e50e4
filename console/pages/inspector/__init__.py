"""The Inspector mode: the night's queue, what was rejected, live inspection, and one result by link."""
