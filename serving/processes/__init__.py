"""The processes of the service: launch, workers, and the connections they share."""
