"""Months of collecting while every part of the system is killed, frozen, cut off or wrong; and an oracle afterwards."""
