"""What the pages of the dashboard say, one module for each page."""
