//! One attempt to enrol, once for every store. Every attempt at a code is a write, so that a wrong try counts even if the
//! process dies at once.

use std::collections::BTreeSet;

use parkdesk_domain::command::{Command, DeviceEnrol};
use parkdesk_domain::rights::Role;
use parkdesk_domain::wire::Verdict;
use parkdesk_domain::{Actor, DeviceId, Envelope, Millis, Scope};
use subtle::ConstantTimeEq;

use super::transaction::{Tx, issue};
use super::{Enrolled, Enrolment, Error, Result};

/// Wrong tries after which a code is dead.
pub(super) const MAX_WRONG_TRIES: i64 = 5;
/// Tokens of one enrolment: answers lost more often than this need a new code.
pub(super) const MAX_TOKENS: i64 = 5;

/// A code that may still be tried.
pub(super) struct Code {
    pub(super) hash: [u8; 32],
    pub(super) role: String,
    pub(super) parks: String,
    pub(super) scopes: String,
    pub(super) request: Option<String>,
    pub(super) device: Option<String>,
}

/// What enrolling asks of a store's own transaction, besides judging.
pub(super) trait Codes: Tx {
    /// The code, if it lives and was not tried wrongly too often; nobody else tries it until this transaction ends.
    async fn find_code(&mut self, handle: &str, now: Millis) -> Result<Option<Code>, Self::Error>;

    /// Counts a wrong try.
    async fn count_wrong_try(&mut self, handle: &str) -> Result<(), Self::Error>;

    /// Keeps who used the code.
    async fn use_code(&mut self, attempt: &Enrolment) -> Result<(), Self::Error>;

    /// Adds a token; `false` if one is in use already or too many were given.
    async fn add_token(&mut self, device: &DeviceId, attempt: &Enrolment, now: Millis) -> Result<bool, Self::Error>;
}

/// One attempt. A refusal of the enrolling command is answered as [`Enrolled::Refused`] and must be rolled back.
pub(super) async fn enrol<T: Codes>(
    tx: &mut T,
    attempt: &Enrolment,
    now: Millis,
    touched: &mut BTreeSet<Scope>,
) -> Result<Enrolled, T::Error> {
    let Some(code) = tx.find_code(&attempt.handle, now).await? else { return Ok(Enrolled::BadCode) };
    if !bool::from(code.hash.ct_eq(&attempt.hash)) {
        tx.count_wrong_try(&attempt.handle).await?;
        return Ok(Enrolled::BadCode);
    }
    match (&code.request, &code.device) {
        // The answer was lost on the way: the same device again, unless a token of it is in use already.
        (Some(request), Some(device)) if request == attempt.request.as_str() => {
            let device = parse_device(device)?;
            let added = tx.add_token(&device, attempt, now).await?;
            Ok(if added { Enrolled::Device(device) } else { Enrolled::BadCode })
        }
        // Somebody else used it.
        (Some(_), _) | (_, Some(_)) => Ok(Enrolled::BadCode),
        (None, None) => first_use(tx, &code, attempt, now, touched).await,
    }
}

async fn first_use<T: Codes>(
    tx: &mut T,
    code: &Code,
    attempt: &Enrolment,
    now: Millis,
    touched: &mut BTreeSet<Scope>,
) -> Result<Enrolled, T::Error> {
    let json = |e: serde_json::Error| Error::Poison(e.to_string());
    let args = DeviceEnrol {
        device: attempt.device.clone(),
        name: attempt.name.clone(),
        role: Role::from(code.role.clone()),
        parks: serde_json::from_str(&code.parks).map_err(json)?,
        scopes: serde_json::from_str(&code.scopes).map_err(json)?,
        was: attempt.was.clone(),
    };
    let envelope = Envelope::of_hub(attempt.command.clone(), Actor::Hub, now, Command::DeviceEnrol(args));
    if let Verdict::Rejected { refusal } = issue(tx, envelope, now, touched).await? {
        return Ok(Enrolled::Refused(refusal));
    }
    tx.use_code(attempt).await?;
    tx.add_token(&attempt.device, attempt, now).await?;
    Ok(Enrolled::Device(attempt.device.clone()))
}

/// A device id read back.
pub(super) fn parse_device(text: &str) -> Result<DeviceId> {
    text.parse().map_err(|e: parkdesk_domain::ids::BadId| Error::Poison(e.to_string()))
}
