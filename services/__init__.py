"""Four services, each with its own store; no one imports another, they meet on the bus."""
