"""Measurements. Each writes ``results/NAME.json``; ``make bench ARGS=NAME`` runs one of them."""
