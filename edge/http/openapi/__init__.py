"""The OpenAPI document: what Litestar knows of the routes, completed by what Edge knows of them."""
