"""Stripe's API v1 as a protocol: authentication, parameters, idempotency, limits, errors, lists and expansion."""
