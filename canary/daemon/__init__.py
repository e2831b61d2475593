"""What runs on: receivers, the scheduler of monitors, and the delivery of alerts."""
