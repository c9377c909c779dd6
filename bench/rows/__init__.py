"""The rows of docs/performance.md that can be measured: a module each, with its ROW."""
