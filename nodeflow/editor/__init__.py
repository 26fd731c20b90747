"""The editor without a window: messages in, scene out."""
