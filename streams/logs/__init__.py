"""What stages log: one line per event, with what it is about in fields of their own."""

from streams.logs.setting_up import log_to_stderr

__all__ = ["log_to_stderr"]
