"""What every request passes before it reaches Gradio: who sends it, what it may be, and how large."""
