"""From evidence to what is told: incidents, ranking, benign refusals, repair, the next probe, the picture."""
