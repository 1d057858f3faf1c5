"""What moves through Gridloom: messages, units, the site model and the errors."""
