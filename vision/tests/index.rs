//! The exact index and what its distances mean.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test fails loudly")]

use parkdesk_vision::faces::protocol::Descriptor;
use parkdesk_vision::index::{AUTO_GALLERY, Index, Sameness, TemplateKey, WrongDimension, judge};
use proptest::prelude::*;

fn key(n: usize) -> TemplateKey {
    TemplateKey(format!("template-{n:05}"))
}

fn descriptor(values: &[f32]) -> Descriptor {
    Descriptor::new(values.to_vec()).unwrap()
}

/// Reproducible numbers that look like templates.
fn random(seed: u64) -> Descriptor {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let values = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32 * 0.2 - 0.1
    });
    Descriptor::new(values.take(128).collect()).unwrap()
}

fn distance(a: &Descriptor, b: &Descriptor) -> f64 {
    a.values().iter().zip(b.values()).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn a_search_equals_a_naive_scan() {
    let mut index = Index::new("model", "aligner");
    let all: Vec<(usize, String, Descriptor)> =
        (0..500).map(|n| (n, format!("person-{}", n % 120), random(n as u64 + 1))).collect();
    for (n, person, template) in &all {
        index.add(key(*n), person.clone(), template).unwrap();
    }
    assert_eq!((index.len(), index.persons()), (500, 120));
    for seed in 1000..1020 {
        let query = random(seed);
        let mut naive: Vec<(f64, &str, usize)> = Vec::new();
        for (n, person, template) in &all {
            let found = distance(&query, template);
            match naive.iter_mut().find(|(_, known, _)| known == person) {
                Some(known) if found < known.0 => (known.0, known.2) = (found, *n),
                Some(_) => {}
                None => naive.push((found, person, *n)),
            }
        }
        naive.sort_by(|a, b| a.0.total_cmp(&b.0));
        let hits = index.search(&query, 10, |_, _| true).unwrap();
        assert_eq!(hits.len(), 10);
        for (hit, (expected, person, n)) in hits.iter().zip(&naive) {
            assert_eq!((hit.person.as_str(), &hit.key), (*person, &key(*n)));
            assert!((f64::from(hit.distance) - expected).abs() < 1e-5);
        }
    }
}

#[test]
fn inserts_and_deletes_are_seen_by_the_next_search() {
    let mut index = Index::new("model", "aligner");
    let query = random(7);
    assert!(index.search(&query, 5, |_, _| true).unwrap().is_empty());
    for n in 0..5 {
        index.add(key(n), format!("p{n}"), &random(n as u64 + 20)).unwrap();
    }
    index.add(key(9), "me".into(), &query).unwrap();
    let nearest = |index: &Index| index.search(&query, 1, |_, _| true).unwrap().remove(0);
    assert_eq!((nearest(&index).person.as_str(), nearest(&index).distance), ("me", 0.0));
    assert!(index.remove(&key(9)) && !index.remove(&key(9)));
    assert_ne!(nearest(&index).person, "me");
    // A template that moved into the hole is still found and can still be removed.
    index.remove(&key(0));
    let last = index.search(&random(24), 1, |_, _| true).unwrap().remove(0);
    assert_eq!((last.key.clone(), last.distance), (key(4), 0.0));
    for n in 1..5 {
        assert!(index.remove(&key(n)));
    }
    assert!(index.is_empty());
}

#[test]
fn a_template_added_again_replaces_the_old_one() {
    let mut index = Index::new("model", "aligner");
    index.add(key(1), "a".into(), &random(1)).unwrap();
    index.add(key(1), "b".into(), &random(2)).unwrap();
    let hits = index.search(&random(2), 5, |_, _| true).unwrap();
    assert_eq!((hits.len(), hits[0].person.as_str(), hits[0].distance), (1, "b", 0.0));
}

#[test]
fn a_person_counts_once_with_the_nearest_photo_and_the_filter_decides_who_counts() {
    let mut index = Index::new("model", "aligner");
    let query = descriptor(&[1.0, 0.0]);
    index.add(key(1), "a".into(), &descriptor(&[3.0, 0.0])).unwrap();
    index.add(key(2), "a".into(), &descriptor(&[1.5, 0.0])).unwrap();
    index.add(key(3), "b".into(), &descriptor(&[2.0, 0.0])).unwrap();
    let found = |filter: &dyn Fn(&TemplateKey, &str) -> bool| -> Vec<(String, f32)> {
        index.search(&query, 9, filter).unwrap().into_iter().map(|hit| (hit.person, hit.distance)).collect()
    };
    assert_eq!(found(&|_, _| true), [("a".to_owned(), 0.5), ("b".to_owned(), 1.0)]);
    assert_eq!(found(&|_, person| person != "a"), [("b".to_owned(), 1.0)]);
    assert_eq!(found(&|template, _| *template != key(2)), [("b".to_owned(), 1.0), ("a".to_owned(), 2.0)]);
}

#[test]
fn templates_of_another_dimension_or_model_do_not_mix() {
    let mut index = Index::new("model", "aligner");
    assert!(index.is_for("model", "aligner") && !index.is_for("model", "other") && !index.is_for("other", "aligner"));
    index.add(key(1), "a".into(), &random(1)).unwrap();
    let wrong = WrongDimension { found: 2, expected: 128 };
    assert_eq!(index.add(key(2), "b".into(), &descriptor(&[1.0, 2.0])), Err(wrong));
    assert_eq!(index.search(&descriptor(&[1.0, 2.0]), 1, |_, _| true).unwrap_err(), wrong);
    assert_eq!(index.len(), 1);
}

#[test]
fn nan_and_zero_vectors_are_no_templates() {
    for bad in [vec![], vec![0.0; 128], vec![f32::NAN; 128], vec![1.0, f32::INFINITY], vec![1.0; 4096]] {
        assert!(Descriptor::new(bad).is_err());
    }
    assert!(Descriptor::from_bytes(&[0; 7]).is_err() && Descriptor::from_bytes(&[]).is_err());
    assert!(Descriptor::from_bytes(&f32::NAN.to_le_bytes()).is_err());
    let good = random(5);
    assert_eq!(Descriptor::from_bytes(&good.to_bytes()).unwrap(), good);
}

#[test]
fn neither_templates_nor_distances_are_printed() {
    assert_eq!(format!("{:?}", descriptor(&[0.125, 7.5])), "Descriptor(..)");
    let mut index = Index::new("model", "aligner");
    index.add(key(1), "Ivan".into(), &descriptor(&[0.125])).unwrap();
    let hits = format!("{:?}", index.search(&descriptor(&[7.5]), 1, |_, _| true).unwrap());
    assert!(!hits.contains("7.375") && !hits.contains("Ivan"), "{hits}");
}

#[test]
fn a_claimed_driver_is_judged_by_the_one_to_one_limits() {
    for (distance, expected) in [
        (0.0, Sameness::Same),
        (0.43, Sameness::Same),
        (0.449, Sameness::Same),
        (0.45, Sameness::Unsure),
        (0.60, Sameness::Unsure),
        (0.601, Sameness::Different),
        (0.85, Sameness::Different),
        (f32::NAN, Sameness::Unsure),
        (-1.0, Sameness::Unsure),
    ] {
        assert_eq!(judge(distance, 5_000_000, true).sameness, expected, "{distance}");
    }
}

#[test]
fn a_search_says_same_only_while_few_strangers_are_expected() {
    // The table's example: 0.45 at 10,000, no decision at all above.
    assert_eq!(judge(0.449, 10_000, false).sameness, Sameness::Same);
    assert_eq!(judge(0.1, AUTO_GALLERY + 1, false).sameness, Sameness::Unsure);
    assert_eq!(judge(0.46, 10, false).sameness, Sameness::Unsure);
    assert_eq!(judge(0.7, 1_000_000, false).sameness, Sameness::Different);
}

#[test]
fn the_expected_false_matches_follow_the_table_rounded_up_to_one_digit() {
    for (distance, gallery, milli) in [
        (0.60, 10_000, 60_000),
        (0.60, 100_000, 600_000),
        (0.55, 10_000, 20_000),
        (0.50, 10_000, 3_000),
        (0.50, 1_000_000, 300_000),
        (0.45, 10_000, 400),
        (0.45, 100_000, 4_000),
        (0.40, 100_000, 400),
        (0.10, 100_000, 400),
        (0.40, 1, 1),
        // Half-way in the logarithm: the square root of 3.5e-5 * 2.4e-4 is 9.2e-5.
        (0.475, 1_000_000, 100_000),
    ] {
        assert_eq!(judge(distance, gallery, false).expected_false_matches_milli, milli, "{distance} in {gallery}");
    }
}

proptest! {
    #[test]
    fn a_nearer_face_is_never_judged_more_different(a in 0.0..1.2_f32, b in 0.0..1.2_f32, gallery in 1..20_000_usize, one: bool) {
        let (near, far) = (a.min(b), a.max(b));
        let (near, far) = (judge(near, gallery, one), judge(far, gallery, one));
        prop_assert!(near.sameness <= far.sameness);
        prop_assert!(near.expected_false_matches_milli <= far.expected_false_matches_milli);
    }
}
