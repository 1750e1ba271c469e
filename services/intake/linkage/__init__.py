"""Which records are one person: pure rules and the model's scores, nothing stored and nothing sent.

Strong numbers and what contradicts them are rules (`rules.py`); the rest is scored by a Splink model (`model.py`).
"""
