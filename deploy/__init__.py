"""What runs Gridloom: local servers, sites and the supervisor."""
