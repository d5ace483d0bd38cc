"""The command line: what each command takes. What it does is in `commands.work`, which loads only when it runs."""
