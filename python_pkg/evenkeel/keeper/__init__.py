"""The keeper: the loop that holds a vault inside its mandate, and its guard rails."""
