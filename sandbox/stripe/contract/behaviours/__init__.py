"""What Stripe does, by subject; importing a module adds its behaviours to the table."""
