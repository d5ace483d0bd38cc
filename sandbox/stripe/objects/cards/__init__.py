"""Saved cards: how they are stored, checked, replaced and withdrawn."""
