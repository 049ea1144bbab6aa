//! The watcher on real folders with real notices. Times are short; every wait polls with a deadline.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use parkdesk_app::capture::AssignedBy;
use parkdesk_app::sync::WatchedState;
use parkdesk_domain::RowId;
use parkdesk_vision::limits::{MAX_BYTES, Rejection, RejectionCode};

use super::*;

/// Takes what looks like a picture: bytes beginning with `JPEG` and ending with `END`.
#[derive(Clone, Default)]
struct Recorder {
    taken: Arc<Mutex<Vec<TakeFile>>>,
    offered: Arc<Mutex<u32>>,
    disk_full: Arc<AtomicBool>,
    hub_has: Arc<AtomicBool>,
    known: Vec<&'static str>,
}

impl Taker for Recorder {
    fn take(&self, file: TakeFile) -> Result<Taken, TakeError> {
        *self.offered.lock().unwrap() += 1;
        if self.disk_full.load(Ordering::Acquire) {
            return Err(TakeError::Later("the disk is full: free some space".into()));
        }
        if file.bytes.starts_with(b"POISON") {
            return Err(TakeError::Quarantined);
        }
        if !file.bytes.starts_with(b"JPEG") {
            return Err(Rejection { code: RejectionCode::NotAnImage, figure: None, limit: None }.into());
        }
        if !file.bytes.ends_with(b"END") {
            return Err(Rejection { code: RejectionCode::Truncated, figure: None, limit: None }.into());
        }
        let id: RowId = "p1".parse().unwrap();
        let mut taken = self.taken.lock().unwrap();
        if taken.iter().any(|earlier| earlier.bytes == file.bytes) {
            return Ok(Taken::Duplicate { of: id });
        }
        taken.push(file);
        Ok(Taken::Captured {
            photo: id.clone(),
            driver: id,
            assigned_by: AssignedBy::FileName,
            findings: vec![],
            nearest: None,
        })
    }

    fn knows(&self, hint: &str) -> bool {
        self.known.contains(&hint)
    }

    fn hub_has(&self, _: &BlobId) -> bool {
        self.hub_has.load(Ordering::Acquire)
    }
}

fn clock() -> Millis {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Millis(i64::try_from(now.as_millis()).unwrap())
}

struct Bench {
    dir: tempfile::TempDir,
    recorder: Recorder,
    watch: Arc<Watch>,
}

impl Bench {
    fn new() -> Self {
        Self::with(Recorder::default(), |_| {}, |_| {})
    }

    fn with(recorder: Recorder, before: impl FnOnce(&Path), tune: impl FnOnce(&mut WatchConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("in");
        fs::create_dir(&folder).unwrap();
        before(&folder);
        let mut config = WatchConfig::new(folder, clock);
        config.settle = Duration::from_millis(200);
        config.patience = Duration::from_millis(1500);
        config.retry = Duration::from_millis(50);
        // Long: what is seen before is seen by notice.
        config.rescan = Duration::from_secs(600);
        tune(&mut config);
        let watch = Watch::start(config, recorder.clone()).unwrap();
        Self { dir, recorder, watch }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("in")
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder().join(name), bytes).unwrap();
    }

    fn exists(&self, name: &str) -> bool {
        fs::symlink_metadata(self.folder().join(name)).is_ok()
    }

    fn taken(&self) -> Vec<String> {
        self.recorder.taken.lock().unwrap().iter().map(|file| file.name.clone()).collect()
    }

    #[track_caller]
    fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !condition(self) {
            assert!(Instant::now() < deadline, "{what}: {:?}, taken {:?}", self.watch.status(), self.taken());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.watch.stop();
    }
}

fn picture(n: u32) -> Vec<u8> {
    format!("JPEG {n} END").into_bytes()
}

#[test]
fn files_that_lie_there_at_the_start_and_files_that_come_are_taken() {
    let bench =
        Bench::with(Recorder::default(), |folder| fs::write(folder.join("old.jpg"), picture(1)).unwrap(), |_| {});
    bench.until("the old one", |b| b.exists("done/old.jpg"));
    bench.put("new.jpg", &picture(2));
    bench.until("the new one", |b| b.exists("done/new.jpg"));
    assert_eq!(bench.taken(), ["old.jpg", "new.jpg"]);
    assert!(!bench.exists("old.jpg") && !bench.exists("new.jpg"));
}

#[test]
fn a_growing_file_is_taken_once_and_whole() {
    let bench = Bench::new();
    let mut file = fs::File::create(bench.folder().join("slow.jpg")).unwrap();
    file.write_all(b"JPEG ").unwrap();
    for _ in 0..12 {
        std::thread::sleep(Duration::from_millis(60));
        file.write_all(b"more ").unwrap();
        assert!(bench.taken().is_empty(), "it was taken while it grew");
    }
    // The writer pauses for longer than the settling time: what is incomplete waits and is not refused.
    let offered = |b: &Bench| *b.recorder.offered.lock().unwrap();
    bench.until("offered while incomplete", |b| offered(b) > 0);
    assert!(bench.exists("slow.jpg"));
    file.write_all(b"END").unwrap();
    drop(file);
    bench.until("taken", |b| b.exists("done/slow.jpg"));
    assert_eq!(bench.taken(), ["slow.jpg"]);
    assert!(!bench.exists("rejected"));
}

#[test]
fn renamed_and_linked_in_files_are_taken_and_unfinished_names_are_not() {
    let bench = Bench::new();
    bench.put("a.jpg.part", &picture(1));
    fs::write(bench.dir.path().join("outside"), picture(2)).unwrap();
    fs::hard_link(bench.dir.path().join("outside"), bench.folder().join("linked.jpg")).unwrap();
    bench.until("the linked one", |b| b.exists("done/linked.jpg"));
    assert!(bench.exists("a.jpg.part"), "somebody is still writing it");
    fs::rename(bench.folder().join("a.jpg.part"), bench.folder().join("a.jpg")).unwrap();
    bench.until("the renamed one", |b| b.exists("done/a.jpg"));
}

#[test]
fn what_is_no_file_is_left_alone() {
    let bench = Bench::new();
    let folder = bench.folder();
    fs::write(bench.dir.path().join("secret"), picture(9)).unwrap();
    std::os::unix::fs::symlink(bench.dir.path().join("secret"), folder.join("link.jpg")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, folder.join("pipe.jpg"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    fs::create_dir(folder.join("folder.jpg")).unwrap();
    bench.put("good.jpg", &picture(1));
    bench.until("the file among them", |b| b.exists("done/good.jpg"));
    assert_eq!(bench.taken(), ["good.jpg"]);
    for name in ["link.jpg", "pipe.jpg", "folder.jpg"] {
        assert!(bench.exists(name), "{name}");
    }
}

#[test]
fn bad_files_go_to_rejected_with_a_reason_in_two_languages() {
    let bench = Bench::new();
    bench.put("notes.jpeg", b"hello");
    bench.put("read me.txt", b"who sits where");
    bench.put("cut.jpg", b"JPEG and no more");
    bench.put("empty.jpg", b"");
    bench.put("poison.jpg", b"POISON");
    let large = fs::File::create(bench.folder().join("large.jpg")).unwrap();
    large.set_len(MAX_BYTES as u64 + 1).unwrap();
    for name in ["notes.jpeg", "cut.jpg", "empty.jpg", "poison.jpg", "large.jpg"] {
        bench.until(name, |b| b.exists(&format!("rejected/{name}.reason.txt")));
        assert!(bench.exists(&format!("rejected/{name}")) && !bench.exists(name), "{name}");
    }
    let reason = fs::read_to_string(bench.folder().join("rejected/large.jpg.reason.txt")).unwrap();
    for part in ["code: too_many_bytes", "figure: 25000001", "limit: 25000000", "принимается не больше", "at most"]
    {
        assert!(reason.contains(part), "{part} in {reason}");
    }
    assert_eq!(bench.watch.status().rejected, 5);
    assert!(bench.taken().is_empty());
    assert!(bench.exists("read me.txt"), "what does not claim to be a picture stays where its owner put it");
    let refused = |b: &Bench| {
        let files = b.watch.status().files;
        files.len() == 5 && files.iter().all(|file| file.state == WatchedState::Rejected)
    };
    bench.until("all are told of", refused);
    for file in bench.watch.status().files {
        assert!(
            file.reason_ru.is_some_and(|why| why.chars().any(|c| ('а'..='я').contains(&c))) && file.reason_en.is_some(),
            "{}",
            file.name
        );
    }
}

#[test]
fn five_hundred_files_at_once_are_each_taken_once_in_order() {
    let bench = Bench::with(
        Recorder::default(),
        |_| {},
        // A batch may take longer to write than a settling time on a busy machine.
        |config| config.settle = Duration::from_millis(400),
    );
    let begin = std::time::SystemTime::now();
    for n in 0..500u32 {
        let path = bench.folder().join(format!("{n:03}.part"));
        fs::write(&path, picture(n)).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(begin + Duration::from_millis(u64::from(n))).unwrap();
        fs::rename(&path, bench.folder().join(format!("{n:03}.jpg"))).unwrap();
    }
    bench.until("all", |b| b.taken().len() == 500 && b.watch.status().waiting == 0);
    let mut names = bench.taken();
    assert!(names.windows(2).filter(|pair| pair[0] > pair[1]).count() <= 2, "oldest first within each look");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 500);
    assert_eq!(fs::read_dir(bench.folder().join("done")).unwrap().count(), 500);
    assert_eq!(*bench.recorder.offered.lock().unwrap(), 500);
}

#[test]
fn the_same_file_twice_is_moved_away_twice_and_taken_once() {
    let bench = Bench::new();
    bench.put("a.jpg", &picture(1));
    bench.until("first", |b| b.exists("done/a.jpg"));
    bench.put("a.jpg", &picture(1));
    bench.until("second", |b| b.exists("done/a (2).jpg"));
    bench.put("b.jpg", &picture(1));
    bench.until("third", |b| b.exists("done/b.jpg"));
    assert_eq!(bench.taken(), ["a.jpg"]);
}

#[test]
fn a_name_with_a_line_break_is_only_a_name() {
    let bench = Bench::new();
    bench.put("a\n..b.jpg", &picture(1));
    bench.put("x\ny.jpg", b"no picture");
    bench.until("both", |b| b.exists("done/a\n..b.jpg") && b.exists("rejected/x\ny.jpg.reason.txt"));
}

#[test]
fn a_folder_that_is_removed_is_told_of_and_comes_back_by_itself() {
    let bench = Bench::new();
    bench.put("a.jpg", &picture(1));
    bench.until("before", |b| b.exists("done/a.jpg"));
    fs::rename(bench.folder(), bench.dir.path().join("away")).unwrap();
    bench.watch.wake.try_send(()).ok();
    bench.until("missing", |b| b.watch.status().state == WatchState::Missing);
    assert!(bench.watch.status().problem.unwrap().contains("is not there"));
    fs::create_dir(bench.folder()).unwrap();
    bench.until("back", |b| b.watch.status().state == WatchState::Watching);
    bench.put("b.jpg", &picture(2));
    bench.until("after", |b| b.exists("done/b.jpg"));
    assert_eq!(bench.watch.status().problem, None);
}

#[test]
fn what_cannot_be_taken_now_stays_and_is_taken_later() {
    let bench = Bench::new();
    bench.recorder.disk_full.store(true, Ordering::Release);
    for n in 0..20 {
        bench.put(&format!("{n}.jpg"), &picture(n));
    }
    bench.until("the problem is told", |b| b.watch.status().problem.is_some_and(|p| p.contains("disk is full")));
    assert!(bench.exists("0.jpg") && bench.taken().is_empty() && !bench.exists("rejected"));
    let told = |b: &Bench, name: &str| b.watch.status().files.into_iter().find(|file| file.name == name);
    bench.until("a file is told of with its reason", |b| {
        told(b, "0.jpg").is_some_and(|file| {
            let is_said = file.reason_en.is_some_and(|why| why.contains("disk is full"));
            file.state == WatchedState::Waiting && is_said && file.reason_ru.is_some() && file.size_bytes > 0
        })
    });
    bench.recorder.disk_full.store(false, Ordering::Release);
    bench.until("all", |b| b.taken().len() == 20 && b.watch.status().problem.is_none());
    bench.until("nothing is left to tell", |b| b.watch.status().files.is_empty());
}

#[test]
fn reading_the_folder_and_its_files_wakes_nobody_and_every_change_does() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.jpg");
    fs::write(&file, picture(1)).unwrap();
    let (wake, woken) = sync_channel(1);
    let _debouncer = notice::listen(dir.path(), Duration::from_millis(20), wake).unwrap();
    for _ in 0..3 {
        scan::look(dir.path()).unwrap();
        fs::read(&file).unwrap();
        assert!(woken.recv_timeout(Duration::from_millis(300)).is_err(), "our own reading woke us");
    }
    let changes: [&dyn Fn(); 3] =
        [&|| fs::write(&file, picture(2)).unwrap(), &|| fs::rename(&file, dir.path().join("b.jpg")).unwrap(), &|| {
            fs::remove_file(dir.path().join("b.jpg")).unwrap()
        }];
    for change in changes {
        change();
        assert!(woken.recv_timeout(Duration::from_secs(10)).is_ok());
        while woken.recv_timeout(Duration::from_millis(200)).is_ok() {}
    }
}

#[test]
fn the_reason_a_file_waits_for_is_told_between_the_tries_too() {
    let bench = Bench::with(Recorder::default(), |_| {}, |config| config.retry = Duration::from_secs(600));
    bench.recorder.disk_full.store(true, Ordering::Release);
    bench.put("a.jpg", &picture(1));
    bench.until("told", |b| b.watch.status().problem.is_some());
    bench.put("b.txt.part", b"another round");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(*bench.recorder.offered.lock().unwrap(), 1);
    assert!(bench.watch.status().problem.is_some_and(|problem| problem.contains("disk is full")));
}

#[test]
fn hints_come_from_sidecar_folder_and_name() {
    let recorder = Recorder { known: vec!["7001", "d-7", "+79160000000"], ..Recorder::default() };
    let bench = Bench::with(recorder, |_| {}, |_| {});
    let staging = bench.dir.path().join("staging");
    fs::create_dir(&staging).unwrap();
    fs::write(staging.join("one.jpg"), picture(1)).unwrap();
    // Photos first; the sidecar follows within the settling time.
    fs::rename(staging.join("one.jpg"), bench.folder().join("one.jpg")).unwrap();
    bench.put("drivers.csv", "file;driver\none.jpg;+79160000000\n".as_bytes());
    bench.until("sidecar", |b| b.exists("done/one.jpg"));
    fs::create_dir(staging.join("d-7")).unwrap();
    fs::write(staging.join("d-7/two.jpg"), picture(2)).unwrap();
    fs::rename(staging.join("d-7"), bench.folder().join("d-7")).unwrap();
    bench.put("7001_3.jpg", &picture(3));
    bench.put("holiday.jpg", &picture(4));
    bench.until("the others", |b| b.taken().len() == 4);
    let taken = bench.recorder.taken.lock().unwrap();
    let hint = |name: &str| {
        let file = taken.iter().find(|file| file.name == name).unwrap();
        (file.hint.clone(), file.hint_from)
    };
    assert_eq!(hint("one.jpg"), (Some("+79160000000".into()), AssignedBy::Sidecar));
    assert_eq!(hint("two.jpg"), (Some("d-7".into()), AssignedBy::Folder));
    assert_eq!(hint("7001_3.jpg"), (Some("7001".into()), AssignedBy::FileName));
    assert_eq!(hint("holiday.jpg").0, None, "a name that names nobody is no hint");
    assert!(bench.exists("drivers.csv"), "the sidecar is the user's");
}

#[test]
fn photos_wait_while_a_sidecar_is_being_written() {
    let bench = Bench::new();
    let mut sidecar = fs::File::create(bench.folder().join("drivers.csv")).unwrap();
    bench.put("a.jpg", &picture(1));
    for n in 0..15 {
        writeln!(sidecar, "{n}.jpg,d{n}").unwrap();
        std::thread::sleep(Duration::from_millis(60));
        assert!(bench.taken().is_empty());
    }
    writeln!(sidecar, "a.jpg,d-last").unwrap();
    drop(sidecar);
    bench.until("taken", |b| b.exists("done/a.jpg"));
    assert_eq!(bench.recorder.taken.lock().unwrap()[0].hint.as_deref(), Some("d-last"));
}

#[test]
fn done_is_kept_until_the_hub_has_it_when_no_days_are_set() {
    let bench = Bench::with(
        Recorder::default(),
        |_| {},
        |config| {
            config.keep_done_days = 0;
            config.rescan = Duration::from_millis(100);
        },
    );
    bench.put("a.jpg", &picture(1));
    bench.until("done", |b| b.exists("done/a.jpg"));
    bench.put("b.jpg", &picture(2));
    bench.until("the next is done and the first is still there", |b| b.exists("done/b.jpg"));
    assert!(bench.exists("done/a.jpg"));
    bench.recorder.hub_has.store(true, Ordering::Release);
    bench.until("removed", |b| !b.exists("done/a.jpg") && !b.exists("done/b.jpg"));
}

#[test]
fn done_is_removed_by_the_time_of_its_move_and_not_of_the_picture() {
    fn next_month() -> Millis {
        clock().plus(8 * 86_400_000)
    }
    let old = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let put_old = |folder: &Path| {
        fs::create_dir(folder.join("done")).unwrap();
        let file = fs::File::create(folder.join("done/old.jpg")).unwrap();
        file.set_modified(old).unwrap();
        fs::write(folder.join("a.jpg"), picture(1)).unwrap();
    };
    let bench = Bench::with(Recorder::default(), put_old, |_| {});
    bench.until("taken", |b| b.exists("done/a.jpg"));
    assert!(bench.exists("done/old.jpg"), "it came to done/ just now");
    let bench = Bench::with(Recorder::default(), put_old, |config| config.clock = next_month);
    bench.until("removed after its days", |b| !b.exists("done/old.jpg"));
}
