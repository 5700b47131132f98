"""What cases are made of: tokens, requests, accounts. It uses the product, by its public parts."""
