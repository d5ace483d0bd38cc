"""Stripe's published OpenAPI, and how an answer or an event is held against it."""
