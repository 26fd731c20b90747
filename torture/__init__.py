"""Long searches for what falls over: `make torture`; what is promised is in docs/reliability.md."""
