"""Duly against localstripe, a Stripe server that nobody here wrote: the same months, and its own lists as the books."""
