"""Sites that this project did not write, driven through the server, and the exported scripts run as files."""
