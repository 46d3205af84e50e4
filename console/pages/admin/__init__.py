"""Admin: people, tokens, models and the audit log."""
