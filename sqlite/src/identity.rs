//! Who this appliance is: its device, its hub, the epoch and sequence of its commands, and whether it was revoked.

use parkdesk_domain::ids::{DeviceId, Millis, RowId};
use parkdesk_domain::scope::Scope;

use crate::change::ChangeTag;
use crate::error::{Error, Result, parse};
use crate::tx::{ReadTx, WriteTx};

/// An enrolled appliance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The device.
    pub device: DeviceId,
    /// The hub; no other is talked to.
    pub hub: RowId,
}

impl ReadTx<'_> {
    /// Who this appliance is, once enrolled.
    ///
    /// # Errors
    /// If the file fails.
    pub fn identity(&self) -> Result<Option<Identity>> {
        let sql = "SELECT device, hub FROM identity WHERE device IS NOT NULL AND hub IS NOT NULL";
        let found = self.one(sql, [], |row| Ok((row.get::<_, String>("device")?, row.get::<_, String>("hub")?)))?;
        let Some((device, hub)) = found else { return Ok(None) };
        Ok(Some(Identity { device: parse("identity", &device)?, hub: parse("identity", &hub)? }))
    }

    /// The device, once enrolled.
    ///
    /// # Errors
    /// If the file fails.
    pub fn device(&self) -> Result<Option<DeviceId>> {
        Ok(self.identity()?.map(|identity| identity.device))
    }

    /// The device's epoch.
    ///
    /// # Errors
    /// If the file fails.
    pub fn epoch(&self) -> Result<u64> {
        Ok(self.one("SELECT epoch FROM identity", [], |row| row.get(0))?.unwrap_or(1))
    }

    pub(crate) fn device_scope(&self) -> Result<Option<Scope>> {
        Ok(self.device()?.map(Scope::Device))
    }

    /// Whether the hub revoked this device: the replica is locked.
    ///
    /// # Errors
    /// If the file fails.
    pub fn is_revoked(&self) -> Result<bool> {
        let sql = "SELECT 1 FROM devices JOIN identity ON devices.id = identity.device
                   WHERE devices.scope = 'device/' || identity.device AND revoked_at_ms IS NOT NULL";
        Ok(self.one(sql, [], |_| Ok(()))?.is_some())
    }
}

impl WriteTx<'_> {
    /// The same appliance under a new device of the same hub (its old one was revoked, or its token is lost): what was not
    /// judged is queued anew under the new device, and everything else stays.
    ///
    /// # Errors
    /// [`Error::AlreadyEnrolled`] if it is another hub; if the file fails.
    pub fn set_enrolled_again(&mut self, device: &DeviceId, hub: &RowId, now: Millis) -> Result<()> {
        match self.identity()? {
            None => return self.set_enrolled(device, hub, now),
            Some(old) if old.hub != *hub => return Err(Error::AlreadyEnrolled),
            Some(old) if old.device == *device => return Ok(()),
            Some(_) => {}
        }
        let sql = "UPDATE identity SET device = ?1, enrolled_at_ms = ?2";
        self.exec(sql, (device.as_str(), now.0))?;
        self.add_cursor(&Scope::Device(device.clone()))?;
        self.begin_epoch(now)?;
        self.tag(ChangeTag::Identity);
        Ok(())
    }

    /// Remembers an enrolment; the device's own scope is the first to be pulled. The same enrolment again changes nothing.
    ///
    /// # Errors
    /// [`Error::AlreadyEnrolled`] if it is another.
    pub fn set_enrolled(&mut self, device: &DeviceId, hub: &RowId, now: Millis) -> Result<()> {
        let new = Identity { device: device.clone(), hub: hub.clone() };
        if let Some(old) = self.identity()? {
            return if old == new { Ok(()) } else { Err(Error::AlreadyEnrolled) };
        }
        let sql = "UPDATE identity SET device = ?1, hub = ?2, enrolled_at_ms = ?3";
        self.exec(sql, (device.as_str(), hub.as_str(), now.0))?;
        self.add_cursor(&Scope::Device(device.clone()))?;
        self.tag(ChangeTag::Identity);
        Ok(())
    }
}
