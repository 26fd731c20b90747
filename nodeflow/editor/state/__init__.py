"""The editor as a value: what it holds, what can happen to it, and what it asks of others."""
