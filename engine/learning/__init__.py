"""Learning: engagement, experiments, evidence, content mix."""
