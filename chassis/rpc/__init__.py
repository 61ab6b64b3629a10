"""Remote procedure calls between the gateway and the services."""
