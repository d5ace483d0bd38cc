"""What Stripe does, each behaviour with its source, seen at the sandbox and, with a test key, at Stripe itself."""
