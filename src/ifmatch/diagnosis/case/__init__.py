"""From captures to a case: steps paired and in order, services recognised, batches and lists taken apart."""
