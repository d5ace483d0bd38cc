"""What a process shows of itself: metrics, health, traces. Entries use it; what does the work knows nothing of it."""
