"""Plain statistics of counts and durations: pure functions that know nothing of the store."""
