"""What ties steps to each other: the history of a resource, versions in succession, things by their names."""
