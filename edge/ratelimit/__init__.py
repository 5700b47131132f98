"""Rate policies, sliding windows and the limiter."""
