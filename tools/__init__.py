"""What can be measured or done on a target. Knows `store`'s vocabulary; knows nothing of any particular world."""
