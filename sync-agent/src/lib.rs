//! The background agent and the headless appliance.
