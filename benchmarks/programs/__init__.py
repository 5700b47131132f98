"""Programs that run beside a measurement: servers, stores, and what asks them."""
