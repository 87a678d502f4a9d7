"""Measure quality and speed; results/ has the recorded figures."""
