"""The service: schedule, tick loop, alerts, health, API, command line."""
