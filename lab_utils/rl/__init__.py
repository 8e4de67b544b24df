"""Environments, evaluation and video for the reinforcement-learning lab."""
