"""What every reader stands on: values, times, targets, contents, and exchanges built piece by piece."""
