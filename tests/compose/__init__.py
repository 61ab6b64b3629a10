"""Trial of docker-compose.yml in a real container engine: ``make compose``."""
