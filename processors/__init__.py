"""How things are computed: pure functions that take the clock as an argument."""
