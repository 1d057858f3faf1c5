"""Planning: what every device of a site should do over the hours to come, and why."""
