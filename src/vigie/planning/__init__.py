"""What follows the calendar: periods, recurring windows, rotations. Pure: values in, values out."""
