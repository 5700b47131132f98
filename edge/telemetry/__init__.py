"""What is seen of Edge: security events, logs, health. It is told of decisions and makes none."""
