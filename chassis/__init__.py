"""The microservice chassis: all that a service stands on. It knows no meeting, no survey and no service by name.

The modules here are the ground: every room may import them, and they import no room. Rooms, from below: storage,
scheduling, messaging, rpc and http, runtime (docs/contribute.md).
"""
