//! The faces process as the use cases need it: a seam, so that they can be tested with results built by hand.

use parkdesk_vision::faces::client::{Client, ClientStatus, FacesError, PictureHash};
use parkdesk_vision::faces::protocol::{Analysis, LiveAdvice, Priority};
use parkdesk_vision::geometry::Cut;

/// Looks at pictures. Blocking.
pub trait Faces: Send + Sync {
    /// Everything about one photo.
    ///
    /// # Errors
    /// See [`FacesError`].
    fn analyse(&self, bytes: Vec<u8>, priority: Priority) -> Result<Analysis, FacesError>;
    /// A live frame; the newest wins.
    ///
    /// # Errors
    /// [`FacesError::Superseded`] when a newer one came.
    fn live(&self, frame: Vec<u8>) -> Result<LiveAdvice, FacesError>;
    /// The portrait of an original, cut anew.
    ///
    /// # Errors
    /// See [`FacesError`].
    fn portrait(&self, original: Vec<u8>, cut: Cut) -> Result<Vec<u8>, FacesError>;
    /// Pictures kept aside because they stopped it twice.
    fn quarantined(&self) -> Vec<PictureHash>;
    /// Keeps pictures aside from the start.
    fn quarantine(&self, pictures: Vec<PictureHash>);
    /// What it is doing now.
    fn status(&self) -> ClientStatus;
}

impl Faces for Client {
    fn analyse(&self, bytes: Vec<u8>, priority: Priority) -> Result<Analysis, FacesError> {
        Client::analyse(self, bytes, priority)
    }

    fn live(&self, frame: Vec<u8>) -> Result<LiveAdvice, FacesError> {
        Client::live(self, frame)
    }

    fn portrait(&self, original: Vec<u8>, cut: Cut) -> Result<Vec<u8>, FacesError> {
        Client::portrait(self, original, cut)
    }

    fn quarantined(&self) -> Vec<PictureHash> {
        Client::quarantined(self)
    }

    fn quarantine(&self, pictures: Vec<PictureHash>) {
        Client::quarantine(self, pictures);
    }

    fn status(&self) -> ClientStatus {
        Client::status(self)
    }
}
