"""The language and the rules of Duly: no Temporal, no Stripe, no clock, no I/O."""
