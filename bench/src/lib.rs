//! Side-by-side benchmarks against peers, ratios in one run.
