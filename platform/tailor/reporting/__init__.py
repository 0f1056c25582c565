"""The report: one file that tells what was measured, opens offline and prints."""
