"""Record conditional traffic of real API servers and real client programs as labelled cases."""
