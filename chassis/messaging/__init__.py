"""Events over the broker: transports, outbox and relay, inbox and consumer, dead letters."""
