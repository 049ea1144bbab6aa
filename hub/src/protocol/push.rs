//! Push: every 2xx carries one verdict per command, in their order.

use parkdesk_domain::wire::{Limits, ProblemCode, PushAnswer, PushRequest};
use parkdesk_domain::{DeviceId, Millis, Scope};

use super::{Fault, Told, read};
use crate::judging::Pushed;
use crate::store::{Batch, Judgement, PageSize, Store};

/// Largest epoch and floor that every store holds exactly.
const MAX_NUMBER: u64 = (1 << 53) - 1;
/// A page for the sake of its head.
const HEAD: PageSize = PageSize { rows: 0, bytes: 0 };

/// `POST /v1/push` of `device`.
///
/// # Errors
/// `malformed`, `too_large`, `restored`, `cloned`, or the store failed; then nothing was judged.
pub async fn push<S: Store>(store: &S, now: Millis, device: &DeviceId, body: &[u8]) -> Result<Told<PushAnswer>, Fault> {
    let limits = Limits::default();
    if body.len() as u64 > limits.push_bytes {
        return Err(Fault::new(ProblemCode::TooLarge, format!("a push has at most {} bytes", limits.push_bytes)));
    }
    let request: PushRequest = read(body)?;
    if request.device != *device {
        return Err(Fault::new(ProblemCode::Malformed, "a device pushes for itself only"));
    }
    if request.commands.len() > limits.push_commands as usize {
        let message = format!("a push has at most {} commands", limits.push_commands);
        return Err(Fault::new(ProblemCode::TooLarge, message));
    }
    if request.epoch == 0 || request.epoch > MAX_NUMBER || request.floor > MAX_NUMBER {
        return Err(Fault::new(ProblemCode::Malformed, "epoch or floor is out of range"));
    }
    if let Some(told) = request.hub_epoch {
        let own = store.page(&Scope::Device(device.clone()), MAX_NUMBER, HEAD).await?;
        if told < own.epoch {
            return Err(Fault::new(
                ProblemCode::Restored,
                "this hub was restored from a backup: pull, then push again",
            ));
        }
    }
    let unreadable = || Fault::new(ProblemCode::Malformed, "a command has no readable seq, id and kind");
    let commands: Option<Vec<Pushed>> = request.commands.iter().map(|raw| Pushed::read(raw)).collect();
    let batch = Batch {
        device: device.clone(),
        epoch: request.epoch,
        floor: request.floor,
        commands: commands.ok_or_else(unreadable)?,
    };
    match store.push(batch, now).await? {
        Judgement::Done(done) => {
            Ok(Told { answer: PushAnswer { verdicts: done.verdicts, now_ms: now }, touched: done.touched })
        }
        Judgement::Cloned { seq } => {
            tracing::warn!(device.id = %device, outbox.seq = seq, "a seq was used with another command: cloned device");
            Err(Fault::new(ProblemCode::Cloned, format!("seq {seq} was used by another command: open a new epoch")))
        }
    }
}
