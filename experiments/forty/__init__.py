"""Forty questions with known answers, asked as a user asks them: the table, the places, the judgement, the proof."""
