"""The same days without control, with a static rule, and with dispatch: simulated and metered."""
