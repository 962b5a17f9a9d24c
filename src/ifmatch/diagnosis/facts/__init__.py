"""The questions that rules ask about one incident, three-valued, and where their answers are found."""
