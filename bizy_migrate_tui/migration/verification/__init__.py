"""Verification at any later time, and what the web interface has changed since."""
