"""What people watch: dashboards built from code."""
