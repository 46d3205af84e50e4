"""One module a mode; each offers ``register(desk)`` and does nothing at import."""
