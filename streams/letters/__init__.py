"""Dead letters at work: find them, look at them, send what they hold again, export them."""
