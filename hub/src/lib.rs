//! The upstream: protocol, stores, routes, jobs, connectors.
