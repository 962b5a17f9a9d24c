"""What became of a write, from what is told of it later: reports, tickets, holds, the next look."""
