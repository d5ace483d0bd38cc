"""The pages that Stripe hosts, as plain HTML forms: no script, and no field for a card number."""
