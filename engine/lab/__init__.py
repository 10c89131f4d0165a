"""The lab: benchmarks, prompt suites, arena, reports."""
