//! Enrolment: a one-time code becomes a device with its token. The same `request` with the same code gets the same
//! device again, until one of its tokens was used, so that a lost answer does not use up the code.

use parkdesk_domain::wire::{EnrolAnswer, EnrolRequest, ProblemCode};
use parkdesk_domain::{CommandId, DeviceId, Millis};
use rand::Rng;
use sha2::{Digest, Sha256};

use super::{Fault, Told, code, read};
use crate::store::{Enrolled, Enrolment, Store};

/// A new UUIDv7 at `now`.
pub fn new_uuid(now: Millis, rng: &mut impl Rng) -> uuid::Uuid {
    let mut random = [0; 10];
    rng.fill_bytes(&mut random);
    let ms = u64::try_from(now.0).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid()
}

/// SHA-256 of a token: what the store keeps.
#[must_use]
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// `POST /v1/enrol`.
///
/// # Errors
/// `bad_code` for wrong, used, expired and too often tried codes alike.
pub async fn enrol<S: Store>(
    store: &S,
    now: Millis,
    rng: &mut (impl Rng + Send),
    body: &[u8],
) -> Result<Told<EnrolAnswer>, Fault> {
    let request: EnrolRequest = read(body)?;
    let bad_code = || Fault::new(ProblemCode::BadCode, "the code is wrong, used or expired: ask for a new one");
    let id = code::parse(&request.code).ok_or_else(bad_code)?;
    let mut secret = [0; 32];
    rng.fill_bytes(&mut secret);
    let token = hex::encode(secret);
    let attempt = Enrolment {
        handle: id.handle,
        hash: id.hash,
        request: request.request,
        name: request.name,
        device: DeviceId::from_uuid(new_uuid(now, rng)),
        command: CommandId::from_uuid(new_uuid(now, rng)),
        token: token_hash(&token),
        was: request.was,
    };
    let (enrolled, touched) = store.enrol(attempt, now).await?;
    match enrolled {
        Enrolled::Device(device) => {
            tracing::info!(device.id = %device, "device enrolled");
            let answer = EnrolAnswer { device, token, hub: store.hub_id().await?, now_ms: now };
            Ok(Told { answer, touched })
        }
        Enrolled::BadCode => Err(bad_code()),
        Enrolled::Refused(refusal) => {
            let field = refusal.field.unwrap_or_default();
            Err(Fault::new(ProblemCode::Malformed, format!("{}: {field}", refusal.code.as_str())))
        }
    }
}
