//! What people read, word for word.

use parkdesk_app::status::{ParkView, PhotoCounts, QueueView};
use parkdesk_app::sync::{LinkProblem, LinkState, LinkStatus};

use parkdesk_app::photos::NearestView;

use super::*;

fn example() -> Status {
    let mut link = LinkStatus::new(LinkState::Offline);
    link.last_contact_at_ms = Some(Millis(0));
    link.last_problem = Some(LinkProblem {
        code: "hub_unreachable".into(),
        message: "no answer from the hub".into(),
        at_ms: Millis(1),
    });
    Status {
        version: "0.1.0".into(),
        device: Some("d1".parse().unwrap()),
        parks: vec![ParkView {
            id: "p1".parse().unwrap(),
            name: "Ёлка".into(),
            read_only: false,
            faces: parkdesk_domain::body::FacePolicy::Verify,
        }],
        photos: PhotoCounts { total: 7, pending: 2, waiting_for_bytes: 1, uploaded: 4, matched: 7 },
        queue: QueueView { commands: 2, files: 6, oldest_at_ms: Some(Millis(60_000)), oldest_age_ms: Some(1) },
        needs_attention: 0,
        unassigned: 1,
        link,
        faces: FacesView {
            running: true,
            pid: Some(7),
            restarts: 0,
            quarantined: 0,
            waiting: 0,
            reindex_left: 0,
            problem: None,
        },
        watch: Some(WatchStatus {
            folder: "/in".into(),
            state: WatchState::Watching,
            waiting: 0,
            taken: 7,
            rejected: 0,
            problem: None,
            files: Vec::new(),
        }),
    }
}

#[test]
fn status_reads_well_in_english() {
    let expected = "\
Device           d1
Parks            Ёлка
Link             offline, work is saved here
Last contact     2 min ago
Queue            commands 2, files 6, oldest 1 min ago
Photos           7 (2 wait for the hub, files of 1 under way, 4 uploaded)
Unassigned       1
Needs attention  0
Face program     running, restarts 0, pictures kept aside 0
Folder           /in: watched, 0 waiting, 7 taken, 0 rejected
Link problem     no answer from the hub
";
    assert_eq!(status(&example(), Millis(125_000), Lang::En), expected);
}

#[test]
fn status_reads_well_in_russian() {
    let text = status(&example(), Millis(125_000), Lang::Ru);
    assert!(text.starts_with("Устройство       d1\nПарки            Ёлка\n"), "{text}");
    assert!(text.contains("Связь            нет связи, данные сохранены здесь\n"), "{text}");
    assert!(text.contains("2 мин назад"), "{text}");
}

#[test]
fn a_face_program_that_does_not_run_is_said_with_its_reason() {
    let mut example = example();
    example.faces.problem = Some("no weights".into());
    assert!(status(&example, Millis(1), Lang::En).contains("Face program     does not run: no weights\n"));
}

#[test]
fn a_wrong_person_is_said_with_the_verdict_and_what_to_do() {
    let likely = Likely { verdict: Likeness::Different, false_matches_milli: 900_000, text: "different person".into() };
    let nearest = NearestView { photo: "f1".parse().unwrap(), file_name: None, likely };
    let captured = Taken::Captured {
        photo: "f2".parse().unwrap(),
        driver: "d1".parse().unwrap(),
        assigned_by: parkdesk_app::capture::AssignedBy::Hint,
        findings: Vec::new(),
        nearest: Some(nearest),
    };
    let expected = "\
The photo f2 of the driver d1 is saved.
Beside the driver's earlier photo: different person.
Check whether this is the right driver!
";
    assert_eq!(taken(&captured, Lang::En), expected);
}

#[test]
fn what_must_be_settled_shows_the_field_the_values_and_the_words_that_settle_takes() {
    let entry = AttentionView {
        id: "3".into(),
        kind: "conflict".into(),
        command: Some("driver.edit".into()),
        input: Some(serde_json::json!({"fields": {"plate": {"was": "A1", "now": "B2"}}})),
        reason: None,
        reason_text: "somebody changed it".into(),
        reason_ru: "кто-то изменил".into(),
        reason_en: "somebody changed it".into(),
        subject: None,
        field: Some("plate".into()),
        conflicts: vec![ConflictView { field: "plate".into(), wanted: "B2".into(), stands: "C3".into() }],
        created_at_ms: Millis(1),
        offers: vec!["use_offer".into(), "discard".into()],
    };
    let text = attention(&[entry], Lang::En);
    assert!(text.contains("[plate]; plate: was A1, you wanted B2, it is C3 now"), "{text}");
    assert!(text.contains("use-offer, discard"), "{text}");
}

#[test]
fn empty_lists_say_what_will_appear() {
    assert_eq!(photos(&[], Lang::En), "No photos yet: put pictures into the folder.\n");
    assert_eq!(attention(&[], Lang::Ru), "Всё в порядке: решать нечего.\n");
    let offers_off = Offers { offers: Vec::new(), none_because: Some(NoOffers::SearchIsOff) };
    assert_eq!(offers(&offers_off, Lang::En), "The park does not let faces be searched.\n");
}
