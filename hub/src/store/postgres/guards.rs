//! Guards as advisory transaction locks. All guards of a park share [`SHARES`] locks, so that a batch of hundreds of
//! commands fits the server's lock table; two that share one by chance wait for each other and nothing else.

use std::collections::BTreeSet;

use deadpool_postgres::Transaction;
use parkdesk_domain::{DeviceId, RowId};
use sha2::{Digest, Sha256};

use super::error::Stop;

/// Locks of a park; a power of two.
const SHARES: i64 = 64;

fn number(text: &str) -> i64 {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// The locks of these guards; without a park they are the whole hub's.
pub(super) fn keys(park: Option<&RowId>, names: &BTreeSet<String>) -> BTreeSet<i64> {
    let home = park.map_or_else(|| number("org"), |park| number(&format!("park/{park}")));
    names.iter().map(|name| (home & !(SHARES - 1)) | (number(name) & (SHARES - 1))).collect()
}

/// A device pushes one batch at a time.
pub(super) fn of_sender(device: &DeviceId) -> i64 {
    number(&format!("sender/{device}"))
}

/// Waits for the locks, in their order, so that nobody waits in a circle; they end with the transaction.
pub(super) async fn lock(tx: &Transaction<'_>, keys: &BTreeSet<i64>) -> Result<(), Stop> {
    if keys.is_empty() {
        return Ok(());
    }
    let keys: Vec<i64> = keys.iter().copied().collect();
    let stmt = tx.prepare_cached("SELECT pg_advisory_xact_lock(k) FROM unnest($1::int8[]) AS k").await?;
    tx.query(&stmt, &[&keys]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_has_one_lock_in_its_park_and_a_park_has_few() {
        let (one, two): (RowId, RowId) = ("p1".parse().unwrap(), "p2".parse().unwrap());
        let names: BTreeSet<String> = (0..10_000).map(|n| format!("driver/{n}")).collect();
        let locks = keys(Some(&one), &names);
        assert_eq!(locks.len() as i64, SHARES);
        assert!(locks.is_disjoint(&keys(Some(&two), &names)), "another park waits for nobody here");
        let alone = keys(Some(&one), &BTreeSet::from(["driver/7".to_owned()]));
        assert!(alone.len() == 1 && alone.is_subset(&locks));
    }
}
