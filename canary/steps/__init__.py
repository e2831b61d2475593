"""The service layer: one file a verb; what the command line, the Python API, pages and pipelines all call."""
