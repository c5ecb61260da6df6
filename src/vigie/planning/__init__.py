"""What follows the clock and the calendar: durations, when next, recurring windows, rotations. Pure: values in, values out."""
