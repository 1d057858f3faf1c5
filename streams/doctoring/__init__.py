"""What ``gridloom doctor`` looks at: what is installed, reachable, missing, and how to get it."""
