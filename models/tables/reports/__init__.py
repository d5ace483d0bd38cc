"""What reports read: views of migrations/functions/reports."""
