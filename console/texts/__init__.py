"""Words, formats and addresses: what the console says, in one place."""
