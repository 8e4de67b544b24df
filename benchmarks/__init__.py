"""Speed and learning, each against a named peer on the same work and data: see ``__main__``."""
