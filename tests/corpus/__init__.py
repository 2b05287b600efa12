"""The corpus: recorded flows, the scripts that come out of them, and what both leave behind (`python -m tests.corpus`)."""
