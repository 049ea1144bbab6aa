//! The faces process as the use cases need it: a seam, so that they can be tested with results built by hand.

use parkdesk_vision::faces::client::{Client, ClientStatus, FacesError};
use parkdesk_vision::faces::protocol::{Analysis, Priority};

/// Looks at pictures. Blocking.
pub trait Faces: Send + Sync {
    /// Everything about one photo.
    ///
    /// # Errors
    /// See [`FacesError`].
    fn analyse(&self, bytes: Vec<u8>, priority: Priority) -> Result<Analysis, FacesError>;
    /// What it is doing now.
    fn status(&self) -> ClientStatus;
}

impl Faces for Client {
    fn analyse(&self, bytes: Vec<u8>, priority: Priority) -> Result<Analysis, FacesError> {
        Client::analyse(self, bytes, priority)
    }

    fn status(&self) -> ClientStatus {
        Client::status(self)
    }
}
