//! The figures of the face pipeline: photo to descriptor against `face_recognition` (dlib), the descriptor's net against
//! the sgemm peak of the same process, JPEG decoding against djpeg.

use std::process::Command;

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::{Figure, Goal, Measuring, median};

/// Rounds of ours and the peer's, each A B B A; the first only warms caches.
const ROUNDS: usize = 5;

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
fn total(turns: &[Photos]) -> Result<f64> {
    let photos = turns.first().map_or(0, |turn| turn.seconds.len());
    let of_photo = |photo: usize| turns.iter().filter_map(|turn| turn.seconds.get(photo)).copied().collect();
    ensure!(photos > 0, "nothing was measured");
    (0..photos).map(|photo| median(of_photo(photo))).sum::<Result<f64>>()
}

/// The ratio of each round, least and greatest: how steady the figure is.
fn spread(ratios: &[f64]) -> String {
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("rounds {least:.3} to {greatest:.3}")
}

fn photos(ours: &mut Measuring, theirs: &mut Measuring) -> Result<Vec<Figure>> {
    let (mut own, mut peer, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let first = ours.ask::<Photos>("photos")?;
        let turns = [theirs.ask::<Photos>("photos")?, theirs.ask("photos")?];
        let of_ours = [first, ours.ask("photos")?];
        let sum = |turns: &[Photos]| turns.iter().flat_map(|turn| &turn.seconds).sum::<f64>();
        let ratio = sum(&of_ours) / sum(&turns);
        println!("    round {round} of {ROUNDS}: {ratio:.3}{}", if round == 0 { " (warms up)" } else { "" });
        if round > 0 {
            ratios.push(ratio);
            own.extend(of_ours);
            peer.extend(turns);
        }
    }
    let found = |rounds: &[Photos]| rounds.iter().map(|round| round.found).min().unwrap_or(0);
    let (own_total, peer_total) = (total(&own)?, total(&peer)?);
    let count = own.first().map_or(0, |round| round.seconds.len());
    let beside = format!(
        "{:.0} ms a photo, face_recognition {:.0} ms; found in {} of {count}, face_recognition {}; {}",
        own_total / count as f64 * 1e3,
        peer_total / count as f64 * 1e3,
        found(&own),
        found(&peer),
        spread(&ratios)
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
    let ratios: Vec<f64> = seconds.iter().zip(&djpeg_seconds).map(|(own, peer)| own / peer).collect();
    let (own, peer) = (median(seconds)?, median(djpeg_seconds)?);
    let size = bytes as f64 / 1e6;
    let beside = format!("{:.0} ms, djpeg {:.0} ms, 12 MP in {size:.1} MB; {}", own * 1e3, peer * 1e3, spread(&ratios));
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
