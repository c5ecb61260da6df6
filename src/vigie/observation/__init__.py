"""What was observed, by whom, and for how much of the time. Pure: values in, values out."""
