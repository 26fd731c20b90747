"""The window: draws what the editor says, and turns mouse and keys into its messages.

Nothing else imports dearpygui, and inside only `toolkit` does.
"""
