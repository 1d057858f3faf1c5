"""Time-series databases behind one Protocol: what the windows and decisions are kept in."""
