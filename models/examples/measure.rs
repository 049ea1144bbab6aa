//! What `cargo xtask bench faces` measures of ours, because only this crate may see torch. Commands on stdin, one line of
//! JSON each on stdout; the bench interleaves them with its peers. Everything runs on one thread, figures are CPU seconds.
//!
//! `photos`: each photo from its bytes to its descriptor. `resnet`: forward of 16 chips, against the sgemm peak of this very
//! process. `jpeg`: decoding a 12 MP JPEG, against djpeg on the same file.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measuring program: a surprise must end it")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use parkdesk_models::embedder::Embedder;
use parkdesk_models::pipeline::Pipeline;
use parkdesk_vision::picture::{Rgb, decode, encode_jpeg};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use tch::{Device, Kind, Tensor};

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    weights: PathBuf,
    #[arg(long)]
    photos: PathBuf,
    /// Folder for the 12 MP JPEG.
    #[arg(long)]
    scratch: PathBuf,
}

fn main() {
    let arguments = Arguments::parse();
    tch::set_num_threads(1);
    let pipeline = Pipeline::load(&arguments.weights).unwrap();
    pipeline.warm_up().unwrap();
    let embedder = Embedder::load(&arguments.weights).unwrap();
    let mut photos: Vec<PathBuf> = std::fs::read_dir(&arguments.photos).unwrap().map(|e| e.unwrap().path()).collect();
    photos.sort();
    let jpeg = arguments.scratch.join("12mp.jpg");
    for line in std::io::stdin().lines() {
        let answer = match line.unwrap().as_str() {
            "photos" => measure_photos(&pipeline, &photos),
            "resnet" => measure_resnet(&embedder),
            "jpeg" => measure_jpeg(&jpeg),
            other => panic!("unknown command {other:?}"),
        };
        println!("{answer}");
        std::io::stdout().flush().unwrap();
    }
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let before = cpu_seconds();
    let result = work();
    (result, cpu_seconds() - before)
}

fn measure_photos(pipeline: &Pipeline, photos: &[PathBuf]) -> serde_json::Value {
    let (mut seconds, mut found) = (Vec::new(), 0);
    for path in photos {
        let bytes = std::fs::read(path).unwrap();
        let (faces, time) = timed(|| pipeline.describe(&decode(&bytes).unwrap()).unwrap());
        found += u32::from(faces.iter().any(|face| face.descriptor.is_some()));
        seconds.push(time);
    }
    json!({"seconds": seconds, "found": found})
}

/// Rounds in which what is compared takes turns, one way round and then the other (A B B A).
const ROUNDS: usize = 5;

fn measure_resnet(embedder: &Embedder) -> serde_json::Value {
    let _no_grad = tch::no_grad_guard();
    let random = |shape: &[i64]| Tensor::rand(shape, (Kind::Float, Device::Cpu));
    let input = random(&[16, 3, 150, 150]);
    let forward = || timed(|| (0..2).for_each(|_| drop(embedder.forward(&input).unwrap()))).1 / 2.0;
    let matrices = [768_i64, 1024, 1536].map(|n| (n, random(&[n, n]), random(&[n, n])));
    let sgemm = || {
        let rates = matrices.iter().map(|(n, a, b)| 2.0 * (*n as f64).powi(3) / timed(|| drop(a.mm(b))).1);
        rates.fold(0.0, f64::max)
    };
    // Warms caches and plans.
    forward();
    sgemm();
    // A peak is the best of all turns, not an average over other people's work.
    let (mut best, mut peak) = (f64::MAX, 0.0_f64);
    for _ in 0..ROUNDS {
        best = best.min(forward());
        peak = peak.max(sgemm()).max(sgemm());
        best = best.min(forward());
    }
    let rate = 16.0 * resnet_flops() / best;
    json!({"share": rate / peak, "gflops": rate / 1e9, "sgemm_gflops": peak / 1e9})
}

/// Multiplications and additions of the convolutions for one chip (dlib's graph, without what padding saves).
fn resnet_flops() -> f64 {
    let conv =
        |side: f64, outputs: f64, inputs: f64, kernel: f64| 2.0 * side * side * outputs * inputs * kernel * kernel;
    let mut flops = conv(72.0, 32.0, 3.0, 7.0);
    // (channels in, channels out, side after the first and the second convolution, times)
    for (inputs, outputs, first, second, times) in [
        (32.0, 32.0, 35.0, 35.0, 3.0),
        (32.0, 64.0, 17.0, 17.0, 1.0),
        (64.0, 64.0, 17.0, 17.0, 3.0),
        (64.0, 128.0, 8.0, 8.0, 1.0),
        (128.0, 128.0, 8.0, 8.0, 2.0),
        (128.0, 256.0, 3.0, 3.0, 1.0),
        (256.0, 256.0, 4.0, 4.0, 2.0),
        (256.0, 256.0, 1.0, 1.0, 1.0),
    ] {
        flops += times * (conv(first, outputs, inputs, 3.0) + conv(second, outputs, outputs, 3.0));
    }
    flops
}

/// Decodings in one turn: djpeg's clock has hundredths of a second only.
const REPEATS: u32 = 8;

fn measure_jpeg(path: &Path) -> serde_json::Value {
    if !path.exists() {
        std::fs::write(path, encode_jpeg(&scene(), 90)).unwrap();
    }
    let bytes = std::fs::read(path).unwrap();
    let picture = decode(&bytes).unwrap();
    assert_eq!((picture.width(), picture.height()), (4000, 3000));
    drop(picture);
    let own = || timed(|| (0..REPEATS).for_each(|_| drop(decode(&bytes).unwrap()))).1;
    let peer = || {
        let before = children_seconds();
        for _ in 0..REPEATS {
            let done = Command::new("djpeg").args(["-ppm", "-outfile", "/dev/null"]).arg(path).status().unwrap();
            assert!(done.success());
        }
        children_seconds() - before
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (first, second, third, fourth) = (own(), peer(), peer(), own());
        ours.push((first + fourth) / f64::from(2 * REPEATS));
        theirs.push((second + third) / f64::from(2 * REPEATS));
    }
    json!({"seconds": ours, "djpeg_seconds": theirs, "bytes": bytes.len()})
}

/// User and system time of finished children.
fn children_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[13].parse::<f64>().unwrap() + fields[14].parse::<f64>().unwrap();
    ticks / rustix::param::clock_ticks_per_second() as f64
}

/// A picture of 12 MP with gradients, edges and some grain, as a camera's has.
fn scene() -> Rgb {
    let (width, height) = (4000_u32, 3000_u32);
    let mut state = 1_u32;
    let mut data = Vec::with_capacity((width * height * 3) as usize);
    for y in 0..height {
        for x in 0..width {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (state >> 28) as f32;
            let wave = ((x as f32 / 37.0).sin() + (y as f32 / 53.0).cos()) * 40.0;
            let edge = if (x / 250 + y / 250) % 2 == 0 { 30.0 } else { 0.0 };
            for channel in [110.0, 95.0, 80.0] {
                data.push((channel + wave + edge + grain + x as f32 / 100.0).clamp(0.0, 255.0) as u8);
            }
        }
    }
    Rgb::new(width, height, data).unwrap()
}
