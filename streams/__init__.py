"""Who moves things: Kafka, historians, hosts and the command line."""
