"""Made-up loads, for measuring by hand; no test waits for a figure."""
