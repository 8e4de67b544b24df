"""Digits, photographs, pictures of networks, and the fair judgement of a detector (Lab 2)."""
