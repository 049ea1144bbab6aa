//! The real program behind the real client: answers, refusals, and its death in the middle of a photo.
//!
//! There are no hooks in the product for this: the child is killed or stopped by its process id.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests: their helpers are not seen as such")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parkdesk_models::chip::ALIGNER_ID;
use parkdesk_vision::faces::client::{Client, ClientConfig, FacesError};
use parkdesk_vision::faces::protocol::{Analysis, Answer, Priority, read_answer};
use parkdesk_vision::limits::RejectionCode;
use parkdesk_vision::picture::{decode, encode_jpeg, shrunk};
use rustix::process::{Pid, Signal, kill_process};

fn setup(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.setup").join(name);
    assert!(path.exists(), "{} is missing: run cargo xtask setup", path.display());
    path
}

fn photo(name: &str) -> Vec<u8> {
    let path = setup("photos").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; run cargo xtask setup", path.display()))
}

fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_parkdesk-faces").into()
}

fn client(save_deadline: Duration) -> Client {
    Client::start(ClientConfig {
        program: program(),
        weights: setup("weights"),
        memory_limit_bytes: 3 << 30,
        save_deadline,
        live_deadline: Duration::from_secs(20),
        threads: 1,
        queue: 16,
    })
}

/// Sends `signal` to the child as soon as a photo is in its hands, and answers what became of the photo.
fn analyse_and_signal(client: Client, signal: Signal) -> (Result<Analysis, FacesError>, Client) {
    let client = Arc::new(client);
    // A small picture first: the child is warm and known by its id.
    client.analyse(photo("obama_partial_face.jpg"), Priority::Save).unwrap();
    let pid = Pid::from_raw(client.status().pid.unwrap() as i32).unwrap();
    let theirs = Arc::clone(&client);
    let job = std::thread::spawn(move || theirs.analyse(photo("obama3.jpg"), Priority::Save));
    let before = cpu_ticks(pid);
    let started = Instant::now();
    // In the middle: the child has begun to work on it, and a photo takes far longer than this.
    while cpu_ticks(pid) <= before {
        assert!(started.elapsed() < Duration::from_secs(30), "the child never began");
        std::thread::yield_now();
    }
    kill_process(pid, signal).unwrap();
    let answer = job.join().unwrap();
    (answer, Arc::into_inner(client).unwrap())
}

/// User time of a process in clock ticks.
fn cpu_ticks(pid: Pid) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(11)?.parse().ok()).unwrap_or(0)
}

#[test]
fn photos_go_in_and_analyses_come_out() {
    let client = client(Duration::from_secs(60));
    let analysis = client.analyse(photo("biden.jpg"), Priority::Save).unwrap();
    assert_eq!(analysis.faces.len(), 1);
    assert!(analysis.faces[0].descriptor.is_some() && analysis.portrait.is_some());
    assert_eq!(analysis.aligner_id, ALIGNER_ID);
    let advice = client.live(photo("obama.jpg")).unwrap();
    assert!(advice.area.is_some());

    let refused = client.analyse(b"GIF89a, and then nothing".to_vec(), Priority::Folder);
    assert!(matches!(refused, Err(FacesError::Rejected(r)) if r.code == RejectionCode::UnsupportedFormat));
    let mut cut = photo("biden.jpg");
    cut.truncate(cut.len() / 2);
    let refused = client.analyse(cut, Priority::Folder);
    assert!(matches!(refused, Err(FacesError::Rejected(r)) if r.code == RejectionCode::Truncated));
    assert_eq!(client.status().restarts, 0, "a bad picture does not cost the process");
}

#[test]
fn killed_in_the_middle_of_a_photo_it_is_done_after_the_restart() {
    let (analysis, client) = analyse_and_signal(client(Duration::from_secs(60)), Signal::KILL);
    assert_eq!(analysis.unwrap().faces.len(), 1);
    assert_eq!((client.status().restarts, client.status().quarantined), (1, 0));
}

#[test]
fn hung_in_the_middle_of_a_photo_it_is_done_after_the_restart() {
    let (analysis, client) = analyse_and_signal(client(Duration::from_secs(15)), Signal::STOP);
    assert_eq!(analysis.unwrap().faces.len(), 1);
    assert_eq!((client.status().restarts, client.status().quarantined), (1, 0));
}

#[test]
fn foreign_weights_are_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["resnet", "predictor5", "onet", "mmod"] {
        let file = format!("{name}.safetensors");
        std::fs::copy(setup("weights").join(&file), dir.path().join(&file)).unwrap();
    }
    let victim = dir.path().join("mmod.safetensors");
    let mut bytes = std::fs::read(&victim).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&victim, bytes).unwrap();
    let mut child = Command::new(program())
        .arg("--weights")
        .arg(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let answer = read_answer(&mut child.stdout.take().unwrap()).unwrap();
    assert!(!child.wait().unwrap().success());
    let Some(Answer::Unable { reason }) = answer else { panic!("{answer:?}") };
    assert!(reason.contains("mmod.safetensors") && reason.contains("SHA-256"), "{reason}");
}

#[test]
fn the_program_finds_libtorch_without_help() {
    let output = Command::new(program()).arg("--version").env_remove("LD_LIBRARY_PATH").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn too_little_memory_is_refused_in_words() {
    let client = Client::start(ClientConfig {
        program: program(),
        weights: setup("weights"),
        memory_limit_bytes: 64 << 20,
        save_deadline: Duration::from_secs(20),
        live_deadline: Duration::from_secs(5),
        threads: 1,
        queue: 1,
    });
    let answer = client.analyse(photo("biden.jpg"), Priority::Save);
    assert!(matches!(&answer, Err(FacesError::Unavailable(why)) if why.contains("memory limit")), "{answer:?}");
}

#[test]
fn a_picture_that_needs_more_memory_than_allowed_ends_the_process_and_not_the_caller() {
    // 49 MP of one colour: 147 MB of pixels, twice over while they are turned into sRGB and scaled down.
    let mut file = Vec::new();
    let image = image::RgbImage::from_pixel(7000, 7000, image::Rgb([90, 120, 90]));
    image.write_to(&mut std::io::Cursor::new(&mut file), image::ImageFormat::Png).unwrap();
    let ask = |memory_limit_bytes: u64| {
        let client = Client::start(ClientConfig {
            program: program(),
            weights: setup("weights"),
            memory_limit_bytes,
            save_deadline: Duration::from_secs(120),
            live_deadline: Duration::from_secs(5),
            threads: 1,
            queue: 1,
        });
        (client.analyse(file.clone(), Priority::Folder), client.status().quarantined)
    };
    let (answer, quarantined) = ask(3 << 30);
    assert!(answer.unwrap().faces.is_empty());
    assert_eq!(quarantined, 0);
    let (answer, quarantined) = ask(1 << 30);
    assert_eq!((answer.unwrap_err(), quarantined), (FacesError::Quarantined, 1));
}

/// A camera frame as the page sends it: 640 px on the long side, with a face in front.
fn frame(name: &str) -> Vec<u8> {
    let picture = decode(&photo(name)).unwrap();
    encode_jpeg(&shrunk(&picture, 640).unwrap_or(picture), 80)
}

#[test]
fn live_frames_cost_less_than_a_sixth_of_a_second_and_find_the_face_in_front() {
    const FRAMES: u32 = 30;
    let client = client(Duration::from_secs(60));
    let frames: Vec<Vec<u8>> = ["obama.jpg", "biden.jpg", "obama3.jpg"].map(frame).into();
    for frame in &frames {
        let live = client.live(frame.clone()).unwrap();
        assert_eq!(live.width.max(live.height), 640);
        let area = live.area.expect("the face in front is found");
        assert!(area.w > 40 && live.marks.is_some());
    }
    let pid = Pid::from_raw(client.status().pid.unwrap() as i32).unwrap();
    let (cpu, wall) = (cpu_ticks(pid), Instant::now());
    for frame in frames.iter().cycle().take(FRAMES as usize) {
        client.live(frame.clone()).unwrap();
    }
    // Ticks are hundredths of a second; CPU time is what other work on this machine does not change much.
    let cpu_ms = (cpu_ticks(pid) - cpu) as f64 * 10.0 / f64::from(FRAMES);
    let rate = f64::from(FRAMES) / wall.elapsed().as_secs_f64();
    println!("live: {cpu_ms:.0} ms of one core a frame, {rate:.1} frames a second");
    assert!(cpu_ms < 1000.0 / 6.0, "{cpu_ms} ms");
}
