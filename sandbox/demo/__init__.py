"""The demo: a month of recurring payments with its outcomes, its report and the proof that it adds up."""
