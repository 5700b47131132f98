"""Forward-auth: load balancers ask about requests to services behind them."""
