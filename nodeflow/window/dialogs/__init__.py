"""Sheets and popups over the window."""
