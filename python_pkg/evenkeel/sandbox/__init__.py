"""A local chain with the real protocols on it, and actors that move its market."""
