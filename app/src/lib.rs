//! The use cases of the appliance and its HTTP API.
