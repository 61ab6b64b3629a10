"""Events over the broker: outbox and relay, inbox and consumer, dead letters, connections."""
