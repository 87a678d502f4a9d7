"""Quality and speed, measured; results/ holds what was."""
