"""What the drug does: the processes as Antimony text, their parameters with evidence, and how doses enter."""
