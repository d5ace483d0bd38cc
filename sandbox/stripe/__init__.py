"""A stateful stand-in for the Stripe API that the real SDK talks to over HTTP: the fault laboratory of the tests."""
