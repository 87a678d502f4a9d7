"""What the page looks like: its HTML, its style sheet and its script."""
