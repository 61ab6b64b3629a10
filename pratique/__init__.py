"""What integrators install: the events of a network of communities of practice, and how to read them."""
