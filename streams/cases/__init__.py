"""Decisions offline: a case from a file, solved without Kafka."""
