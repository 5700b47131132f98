"""HTTP: the outermost layer, enforcement, problem documents and the routes."""
