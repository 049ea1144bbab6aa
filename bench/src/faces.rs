//! The figures of the face pipeline: photo to descriptor against `face_recognition` (dlib), the descriptor's net against
//! the sgemm peak of the same process, JPEG decoding against djpeg.

use std::process::Command;

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::{Figure, Goal, Measuring, median};

/// Rounds of ours and the peer's by turns; the first of each only warms caches.
const ROUNDS: usize = 6;

#[derive(Deserialize)]
struct Photos {
    seconds: Vec<f64>,
    found: u32,
}

#[derive(Deserialize)]
struct Resnet {
    share: f64,
    gflops: f64,
    sgemm_gflops: f64,
}

#[derive(Deserialize)]
struct Jpeg {
    seconds: Vec<f64>,
    djpeg_seconds: Vec<f64>,
    bytes: u64,
}

/// Measures all figures: `ours` is `measure` of the crate `parkdesk-models`, `theirs` answers `photos` alone.
///
/// # Errors
/// If a program cannot be started or dies.
pub fn measure(ours: Command, theirs: Command) -> Result<Vec<Figure>> {
    let mut ours = Measuring::start(ours)?;
    let mut theirs = Measuring::start(theirs)?;
    let mut figures = photos(&mut ours, &mut theirs)?;
    drop(theirs);
    figures.push(resnet(&mut ours)?);
    figures.push(jpeg(&mut ours)?);
    Ok(figures)
}

/// Median per photo, summed over the photos: each photo weighs what it costs.
fn total(rounds: &[Photos]) -> Result<f64> {
    let photos = rounds.first().map_or(0, |round| round.seconds.len());
    let of_photo = |photo: usize| rounds.iter().filter_map(|round| round.seconds.get(photo)).copied().collect();
    ensure!(photos > 0, "nothing was measured");
    (0..photos).map(|photo| median(of_photo(photo))).sum::<Result<f64>>()
}

fn photos(ours: &mut Measuring, theirs: &mut Measuring) -> Result<Vec<Figure>> {
    let (mut own, mut peer) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let pair = (ours.ask::<Photos>("photos")?, theirs.ask::<Photos>("photos")?);
        if round > 0 {
            own.push(pair.0);
            peer.push(pair.1);
        }
        println!("    round {round} of {ROUNDS}");
    }
    let found = |rounds: &[Photos]| rounds.iter().map(|round| round.found).min().unwrap_or(0);
    let (own_total, peer_total) = (total(&own)?, total(&peer)?);
    let count = own.first().map_or(0, |round| round.seconds.len());
    let beside = format!(
        "{:.0} ms a photo, face_recognition {:.0} ms; recall {} of {count}, face_recognition {} of {count}",
        own_total / count as f64 * 1e3,
        peer_total / count as f64 * 1e3,
        found(&own),
        found(&peer)
    );
    let recall = f64::from(found(&own)) / f64::from(found(&peer).max(1));
    Ok(vec![
        Figure { name: "photo to descriptor", measured: own_total / peer_total, goal: Goal::AtMost(0.4), beside },
        Figure { name: "recall", measured: recall, goal: Goal::AtLeast(1.0), beside: "ours / face_recognition".into() },
    ])
}

fn resnet(ours: &mut Measuring) -> Result<Figure> {
    let Resnet { share, gflops, sgemm_gflops } = ours.ask("resnet")?;
    let beside = format!("{gflops:.0} GFLOP/s of {sgemm_gflops:.0}, batch 16");
    Ok(Figure { name: "resnet / sgemm peak", measured: share, goal: Goal::AtLeast(0.4), beside })
}

fn jpeg(ours: &mut Measuring) -> Result<Figure> {
    let Jpeg { seconds, djpeg_seconds, bytes } = ours.ask("jpeg")?;
    let ratios = seconds.iter().zip(&djpeg_seconds).map(|(own, peer)| own / peer).collect();
    let (own, peer) = (median(seconds)?, median(djpeg_seconds)?);
    let size = bytes as f64 / 1e6;
    let beside = format!("{:.0} ms, djpeg {:.0} ms, 12 MP in {size:.1} MB", own * 1e3, peer * 1e3);
    Ok(Figure { name: "jpeg decode / djpeg", measured: median(ratios)?, goal: Goal::AtMost(1.25), beside })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_the_sum_of_the_photos_medians() {
        let round = |seconds: [f64; 2]| Photos { seconds: seconds.to_vec(), found: 2 };
        assert_eq!(total(&[round([1.0, 10.0]), round([3.0, 30.0]), round([2.0, 90.0])]).unwrap(), 32.0);
        assert!(total(&[]).is_err());
    }
}
