"""Analytics: how the line, the models and the reviewers do over time."""
