"""What align's host is made of: records in, partitions with their state, ticks, windows out."""
