"""Random input for what reads text and files that students bring; see ``python -m tests.fuzz``."""
