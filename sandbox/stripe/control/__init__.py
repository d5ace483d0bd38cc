"""The sandbox's own controls under `/_sandbox`: time, faults, scripted cards, limits and webhooks."""
