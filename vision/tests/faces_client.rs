//! The client against children that die, hang, lie and flood.
//!
//! The child is this very test program: a shell script starts it again with `FAKE_FACES` set, so that it plays the faces
//! process over the real protocol instead of running tests. The test harness writes to its standard output, therefore the
//! script hands the pipe over as descriptor 3.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test fails loudly")]
#![cfg(unix)]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parkdesk_vision::faces::client::{Client, ClientConfig, FacesError};
use parkdesk_vision::faces::protocol::{
    Analysis, Answer, Job, LiveAdvice, Priority, Ready, VERSION, read_request, write_answer,
};
use parkdesk_vision::geometry::Cut;
use parkdesk_vision::limits::{MAX_BYTES, Rejection, RejectionCode};
use parkdesk_vision::quality::Quality;

/// Not a test of its own: the child's part, played only when the script asks for it.
#[test]
fn plays_the_child_when_asked() {
    if let Ok(folder) = std::env::var("FAKE_FACES") {
        play(Path::new(&folder));
    }
}

/// Obeys the picture: its text says what to do with it. Each start and each job leaves a line in the folder.
fn play(folder: &Path) {
    let note = |file: &str, text: &str| {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(folder.join(file)).unwrap();
        writeln!(file, "{text}").unwrap();
    };
    let starts = || std::fs::read_to_string(folder.join("starts")).unwrap_or_default().lines().count();
    note("starts", &std::process::id().to_string());
    let mut to_parent = std::fs::OpenOptions::new().write(true).open("/dev/fd/3").unwrap();
    let mut from_parent = std::io::stdin().lock();
    let setting = std::fs::read_to_string(folder.join("start")).unwrap_or_default();
    let ready = |version| Answer::Ready(Ready { version, model_id: "m".into(), aligner_id: "a".into() });
    match setting.as_str() {
        "unable" => {
            return write_answer(&mut to_parent, Answer::Unable { reason: "no weights\n\x1b[31m".into() }).unwrap();
        }
        "never ready" => return std::thread::park(),
        "other version" => write_answer(&mut to_parent, ready(VERSION + 1)).unwrap(),
        "exits" => return,
        _ => write_answer(&mut to_parent, ready(VERSION)).unwrap(),
    }
    while let Some(request) = read_request(&mut from_parent).unwrap() {
        let text = String::from_utf8_lossy(&request.picture).into_owned();
        note("jobs", &text);
        let id = request.id;
        let answer = match text.split(' ').next().unwrap() {
            "die" => std::process::abort(),
            "die-once" if starts() == 1 => std::process::abort(),
            "hang" => return std::thread::park(),
            "hang-once" if starts() == 1 => return std::thread::park(),
            "garbage" => return to_parent.write_all(&[b'<'; 100_000]).unwrap_or_default(),
            "giant" => {
                // A header of allowed size, then one attachment that claims more than there is memory.
                let header = br#"{"answer":"unable","reason":""}"#;
                to_parent.write_all(&(header.len() as u32).to_le_bytes()).unwrap();
                to_parent.write_all(header).unwrap();
                to_parent.write_all(&1_u32.to_le_bytes()).unwrap();
                to_parent.write_all(&u64::MAX.to_le_bytes()).unwrap();
                return std::thread::park();
            }
            "other-id" => Answer::Analysed { id: id + 1, analysis: Box::new(analysis()) },
            "wrong-job" => Answer::Live { id, advice: advice() },
            "reject" => {
                let rejection = Rejection { code: RejectionCode::Truncated, figure: None, limit: None };
                Answer::Rejected { id, rejection }
            }
            word => {
                if word == "flood" {
                    for _ in 0..100_000 {
                        eprintln!("\x1b[31ma line of a child gone mad");
                    }
                }
                if let Some(name) = text.strip_prefix("wait-for ") {
                    while !folder.join(name).exists() {
                        std::thread::park_timeout(Duration::from_millis(2));
                    }
                }
                match request.job {
                    Job::Analyse => Answer::Analysed { id, analysis: Box::new(analysis()) },
                    Job::Live => Answer::Live { id, advice: advice() },
                    Job::Portrait(cut) => Answer::Portrait { id, portrait: portrait(cut) },
                }
            }
        };
        write_answer(&mut to_parent, answer).unwrap();
    }
}

fn analysis() -> Analysis {
    Analysis {
        width: 640,
        height: 480,
        faces: Vec::new(),
        quality: Quality::default(),
        cut: None,
        perceptual_hash: 5,
        model_id: "m".into(),
        aligner_id: "a".into(),
        original: b"\xff\xd8\xfforiginal".to_vec(),
        portrait: None,
        thumb: b"\xff\xd8\xffthumb".to_vec(),
    }
}

fn portrait(cut: Cut) -> Vec<u8> {
    let text = format!("{} {} {} {} {}", cut.x, cut.y, cut.w, cut.h, cut.turn);
    [b"\xff\xd8\xff", text.as_bytes()].concat()
}

fn advice() -> LiveAdvice {
    LiveAdvice { width: 640, height: 480, area: None, marks: None, advice: None, level: None, readiness_percent: 100 }
}

/// A client, its folder, and what its child did.
struct Stage {
    folder: tempfile::TempDir,
    client: Arc<Client>,
}

fn stage(start: &str) -> Stage {
    stage_with(start, |_| {})
}

fn stage_with(start: &str, set: impl FnOnce(&mut ClientConfig)) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("faces.sh");
    let this = std::env::current_exe().unwrap();
    let script = format!(
        "#!/bin/sh\nFAKE_FACES='{}' exec '{}' --exact plays_the_child_when_asked --nocapture 3>&1 1>/dev/null\n",
        folder.path().display(),
        this.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(folder.path().join("start"), start).unwrap();
    let mut config = ClientConfig {
        program,
        weights: folder.path().to_owned(),
        memory_limit_bytes: 1 << 30,
        save_deadline: Duration::from_secs(20),
        live_deadline: Duration::from_secs(20),
        threads: 1,
        queue: 3,
    };
    set(&mut config);
    Stage { folder, client: Arc::new(Client::start(config)) }
}

impl Stage {
    fn analyse(&self, text: &str) -> Result<Analysis, FacesError> {
        self.client.analyse(text.as_bytes().to_vec(), Priority::Save)
    }

    fn lines(&self, file: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn touch(&self, name: &str) {
        std::fs::write(self.folder.path().join(name), "").unwrap();
    }

    /// Calls from a thread of its own, as callers do, and waits until the queue has it.
    fn later<T: Send + 'static>(&self, call: impl FnOnce(&Client) -> T + Send + 'static) -> std::thread::JoinHandle<T> {
        let client = Arc::clone(&self.client);
        std::thread::spawn(move || call(&client))
    }

    fn until(&self, what: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !what(self) {
            assert!(Instant::now() < deadline, "waited too long; status {:?}", self.client.status());
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }
}

#[test]
fn a_photo_and_a_frame_get_their_answers_from_one_warm_child() {
    let stage = stage("");
    assert_eq!(stage.client.status().pid, None, "the child is started with the first job");
    assert_eq!(stage.analyse("fine").unwrap(), analysis());
    assert_eq!(stage.client.live(b"fine".to_vec()).unwrap(), advice());
    let status = stage.client.status();
    assert_eq!(status.pid.map(|pid| pid.to_string()), stage.lines("starts").first().cloned());
    assert_eq!((stage.lines("starts").len(), status.restarts), (1, 0));
}

#[test]
fn a_portrait_is_cut_where_it_was_asked_for() {
    let stage = stage("");
    let cut = Cut { x: 3, y: -4, w: 300, h: 400, turn: -150 };
    assert_eq!(stage.client.portrait(b"fine".to_vec(), cut).unwrap(), portrait(cut));
    let refused = stage.client.portrait(b"reject".to_vec(), cut);
    assert!(matches!(refused, Err(FacesError::Rejected(_))));
    // An answer to another question is a failure of the child, not a portrait.
    assert_eq!(stage.client.portrait(b"wrong-job".to_vec(), cut).unwrap_err(), FacesError::Quarantined);
}

#[test]
fn a_rejection_is_an_answer_and_no_crash() {
    let stage = stage("");
    let FacesError::Rejected(rejection) = stage.analyse("reject").unwrap_err() else { panic!() };
    assert_eq!(rejection.code, RejectionCode::Truncated);
    assert_eq!(stage.client.status().restarts, 0);
}

#[test]
fn too_many_bytes_are_refused_before_a_child_is_started() {
    let stage = stage("");
    let FacesError::Rejected(rejection) = stage.client.analyse(vec![0; MAX_BYTES + 1], Priority::Save).unwrap_err()
    else {
        panic!()
    };
    assert_eq!(rejection.code, RejectionCode::TooManyBytes);
    assert!(stage.lines("starts").is_empty());
}

#[test]
fn a_photo_whose_child_died_or_hung_is_done_after_the_restart() {
    for text in ["die-once", "hang-once"] {
        let stage = stage_with("", |config| config.save_deadline = Duration::from_secs(5));
        assert_eq!(stage.analyse(text).unwrap(), analysis(), "{text}");
        assert_eq!((stage.lines("starts").len(), stage.client.status().restarts), (2, 1));
        assert!(stage.client.quarantined().is_empty());
    }
}

#[test]
fn the_second_crash_on_the_same_bytes_is_the_last() {
    for text in ["die", "garbage", "giant", "other-id", "wrong-job"] {
        let stage = stage("");
        assert_eq!(stage.analyse(text).unwrap_err(), FacesError::Quarantined, "{text}");
        assert_eq!(stage.lines("jobs").len(), 2, "{text} is tried twice");
        // It never reaches a child again, and others are served.
        assert_eq!(stage.analyse(text).unwrap_err(), FacesError::Quarantined);
        assert_eq!(stage.analyse("fine").unwrap(), analysis());
        assert_eq!(stage.lines("jobs").len(), 3);
        let kept = stage.client.quarantined();
        assert_eq!((kept.len(), stage.client.status().quarantined), (1, 1));
        // A later client is told; a person may let it in again.
        assert!(stage.client.release(&kept[0]) && !stage.client.release(&kept[0]));
        stage.client.quarantine(kept);
        assert_eq!(stage.analyse(text).unwrap_err(), FacesError::Quarantined);
    }
}

#[test]
fn a_child_that_hangs_twice_costs_two_deadlines_and_no_more() {
    let stage = stage_with("", |config| config.save_deadline = Duration::from_secs(3));
    assert_eq!(stage.analyse("fine").unwrap(), analysis());
    let started = Instant::now();
    assert_eq!(stage.analyse("hang").unwrap_err(), FacesError::Quarantined);
    assert!(started.elapsed() < Duration::from_secs(3 * 2 + 10), "{:?}", started.elapsed());
}

#[test]
fn a_child_killed_while_idle_costs_no_photo_its_second_try() {
    let stage = stage("");
    stage.analyse("fine").unwrap();
    let pid = stage.client.status().pid.unwrap();
    assert!(std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    stage.until(|stage| stage.client.status().pid != Some(pid));
    assert_eq!(stage.analyse("fine too").unwrap(), analysis());
    assert_eq!(stage.lines("starts").len(), 2);
}

#[test]
fn a_live_frame_is_not_tried_again_and_never_quarantined() {
    let stage = stage("");
    assert!(matches!(stage.client.live(b"die".to_vec()), Err(FacesError::Unavailable(_))));
    assert_eq!(stage.lines("jobs").len(), 1);
    assert!(stage.client.quarantined().is_empty());
    assert_eq!(stage.client.live(b"fine".to_vec()).unwrap(), advice());
}

#[test]
fn the_newest_frame_wins_and_goes_before_saves_folder_and_reindex() {
    let stage = stage("");
    let first = stage.later(|client| client.analyse(b"wait-for go".to_vec(), Priority::Folder));
    stage.until(|stage| stage.lines("jobs").len() == 1);
    let mut waiting = Vec::new();
    for (priority, text) in [(Priority::Reindex, "reindex"), (Priority::Folder, "folder"), (Priority::Save, "save")] {
        let before = stage.client.status().waiting;
        waiting.push(stage.later(move |client| client.analyse(text.as_bytes().to_vec(), priority)));
        stage.until(|stage| stage.client.status().waiting == before + 1);
    }
    let older = stage.later(|client| client.live(b"older".to_vec()));
    stage.until(|stage| stage.client.status().waiting == 4);
    let newer = stage.later(|client| client.live(b"newer".to_vec()));
    assert_eq!(older.join().unwrap().unwrap_err(), FacesError::Superseded);
    stage.touch("go");
    assert_eq!(newer.join().unwrap().unwrap(), advice());
    for call in waiting.into_iter().chain([first]) {
        assert_eq!(call.join().unwrap().unwrap(), analysis());
    }
    assert_eq!(stage.lines("jobs"), ["wait-for go", "newer", "save", "folder", "reindex"]);
}

#[test]
fn a_full_line_is_busy_and_other_lines_are_not() {
    let stage = stage("");
    let first = stage.later(|client| client.analyse(b"wait-for go".to_vec(), Priority::Folder));
    stage.until(|stage| stage.lines("jobs").len() == 1);
    let waiting: Vec<_> = (0..3)
        .map(|n| stage.later(move |client| client.analyse(format!("folder {n}").into_bytes(), Priority::Folder)))
        .collect();
    stage.until(|stage| stage.client.status().waiting == 3);
    assert_eq!(stage.client.analyse(b"one more".to_vec(), Priority::Folder).unwrap_err(), FacesError::Busy);
    let save = stage.later(|client| client.analyse(b"save".to_vec(), Priority::Save));
    stage.until(|stage| stage.client.status().waiting == 4);
    stage.touch("go");
    for call in waiting.into_iter().chain([first, save]) {
        assert_eq!(call.join().unwrap().unwrap(), analysis());
    }
}

#[test]
fn a_child_that_cannot_start_makes_jobs_unavailable_with_a_reason_and_no_quarantine() {
    let stage = stage_with("", |config| config.program = "/nowhere/parkdesk-faces".into());
    let FacesError::Unavailable(reason) = stage.analyse("fine").unwrap_err() else { panic!() };
    assert!(reason.contains("cannot be started"), "{reason}");
    for (start, expected) in [
        ("unable", "no weights[31m"),
        ("exits", "it ended while it warmed up"),
        ("other version", "version"),
        ("never ready", "did not answer in time"),
    ] {
        let stage = self::stage_with(start, |config| config.save_deadline = Duration::from_secs(1));
        let FacesError::Unavailable(reason) = stage.analyse("fine").unwrap_err() else { panic!() };
        assert!(reason.contains(expected), "{start}: {reason}");
        assert_eq!(stage.client.status().quarantined, 0);
        // Right after a failed start the next job is refused at once instead of waiting for another failure.
        let (starts, asked) = (stage.lines("starts").len(), Instant::now());
        assert!(matches!(stage.analyse("fine"), Err(FacesError::Unavailable(_))));
        assert!(stage.lines("starts").len() == starts || asked.elapsed() > Duration::from_millis(200));
    }
}

#[test]
fn a_child_that_could_not_start_is_tried_again_later() {
    let stage = stage("unable");
    assert!(matches!(stage.analyse("fine"), Err(FacesError::Unavailable(_))));
    std::fs::write(stage.folder.path().join("start"), "").unwrap();
    stage.until(|stage| stage.analyse("fine").is_ok());
}

#[test]
fn a_flood_on_the_log_does_not_block_the_answer() {
    let stage = stage("");
    assert_eq!(stage.analyse("flood").unwrap(), analysis());
}

#[test]
fn shutting_down_answers_everybody_and_ends_the_child() {
    let stage = stage("");
    let hanging = stage.later(|client| client.analyse(b"hang".to_vec(), Priority::Save));
    stage.until(|stage| stage.lines("jobs").len() == 1);
    let waiting = stage.later(|client| client.analyse(b"fine".to_vec(), Priority::Save));
    stage.until(|stage| stage.client.status().waiting == 1);
    let pid = stage.client.status().pid.unwrap();
    let Stage { folder: _folder, client } = stage;
    // Callers hold the client while they wait, so stopping goes through its own door.
    client.stop();
    let started = Instant::now();
    assert_eq!(hanging.join().unwrap().unwrap_err(), FacesError::Stopped);
    assert_eq!(waiting.join().unwrap().unwrap_err(), FacesError::Stopped);
    assert_eq!(client.analyse(b"fine".to_vec(), Priority::Save).unwrap_err(), FacesError::Stopped);
    Arc::into_inner(client).expect("all callers are gone").shutdown();
    assert!(started.elapsed() < Duration::from_secs(10));
    let alive = std::process::Command::new("kill").args(["-0", &pid.to_string()]).output().unwrap().status.success();
    assert!(!alive, "the child is gone");
}
