"""What is usual for a monitor, learnt from its own checks. Pure: values in, values out."""
