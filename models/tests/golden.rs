//! Parity with the originals, on real weights and photos: what dlib 20 and facenet-pytorch answered stands in
//! `golden/faces.json` and the chips beside it. Photos and weights come from `cargo xtask setup`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests: their helpers are not seen as such")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parkdesk_models::check::FaceCheck;
use parkdesk_models::chip::{self, Place};
use parkdesk_models::detector::Detection;
use parkdesk_models::embedder::Embedder;
use parkdesk_models::pipeline::Pipeline;
use parkdesk_models::points::Predictor;
use parkdesk_vision::faces::protocol::{Analysis, Descriptor};
use parkdesk_vision::geometry::Point;
use parkdesk_vision::picture::{Rgb, decode};
use parkdesk_vision::quality::{Level, QualityCode};
use serde::Deserialize;

/// dlib's threshold: the same person below it.
const SAME: f32 = 0.6;

#[derive(Deserialize)]
struct Photo {
    width: u32,
    height: u32,
    dlib_faces: Vec<DlibFace>,
}

#[derive(Deserialize)]
struct DlibFace {
    hog_rect: [i32; 4],
    landmarks5: [[f32; 2]; 5],
    chip: String,
    descriptor: Vec<f32>,
    descriptor_from_chip: Vec<f32>,
    onet_on_hog_rect: OnetFace,
}

#[derive(Deserialize)]
struct OnetFace {
    prob: f32,
    points: [[f32; 2]; 5],
}

impl DlibFace {
    fn area(&self) -> Detection {
        let [left, top, right, bottom] = self.hog_rect;
        Detection { left, top, right, bottom, score: 1.0 }
    }
}

/// The photos with dlib's one face each.
fn golden() -> BTreeMap<String, (Photo, DlibFace)> {
    let photos: BTreeMap<String, Photo> = serde_json::from_str(include_str!("golden/faces.json")).unwrap();
    assert_eq!(photos.len(), 7);
    photos
        .into_iter()
        .map(|(name, mut photo)| {
            let face = photo.dlib_faces.remove(0);
            (name, (photo, face))
        })
        .collect()
}

fn setup(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.setup").join(name);
    assert!(path.exists(), "{} is missing: run cargo xtask setup", path.display());
    path
}

fn weights() -> PathBuf {
    setup("weights")
}

fn photo_bytes(name: &str) -> Vec<u8> {
    let path = setup("photos").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; run cargo xtask setup", path.display()))
}

/// A photo as the product sees it.
fn photo(name: &str) -> Rgb {
    decode(&photo_bytes(name)).unwrap()
}

/// A photo as dlib and facenet-pytorch saw it: the file's own colours, three of the JPEGs have a profile that is not sRGB.
fn uncoloured_photo(name: &str) -> Rgb {
    let bytes = photo_bytes(name);
    if name.ends_with(".png") {
        let image = image::load_from_memory(&bytes).unwrap().into_rgb8();
        return Rgb::new(image.width(), image.height(), image.into_raw()).unwrap();
    }
    let image = turbojpeg::decompress(&bytes, turbojpeg::PixelFormat::RGB).unwrap();
    Rgb::new(image.width as u32, image.height as u32, image.pixels).unwrap()
}

fn shrink(picture: &Rgb, long_side: u32) -> Rgb {
    parkdesk_vision::picture::shrunk(picture, long_side).unwrap()
}

fn golden_chip(name: &str) -> Rgb {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let image = image::open(path).unwrap().into_rgb8();
    Rgb::new(image.width(), image.height(), image.into_raw()).unwrap()
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
}

fn points(values: [[f32; 2]; 5]) -> [Point; 5] {
    values.map(|[x, y]| Point { x, y })
}

#[test]
fn descriptors_of_the_golden_chips_are_dlibs() {
    let embedder = Embedder::load(&weights()).unwrap();
    let golden = golden();
    let chips: Vec<Rgb> = golden.values().map(|(_, face)| golden_chip(&face.chip)).collect();
    let together = embedder.embed(&chips).unwrap();
    for ((name, (_, face)), descriptor) in golden.iter().zip(&together) {
        let off = distance(descriptor.as_ref().unwrap().values(), &face.descriptor_from_chip);
        println!("{name}: {off:e} from dlib's descriptor");
        assert!(off < 1e-4, "{name}: {off}");
    }
    // One at a time gives the same as all at once.
    for (chip, batched) in chips.iter().zip(&together) {
        let alone = embedder.embed(std::slice::from_ref(chip)).unwrap().remove(0).unwrap();
        assert!(alone.distance(batched.as_ref().unwrap()).unwrap() < 1e-5);
    }
}

#[test]
fn chips_from_the_golden_points_are_dlibs_within_a_grey_level() {
    for (name, (told, face)) in golden() {
        let photo = uncoloured_photo(&name);
        assert_eq!((photo.width(), photo.height()), (told.width, told.height), "{name}");
        let chip = chip::extract(&photo, &Place::of(&points(face.landmarks5)));
        let golden = golden_chip(&face.chip);
        let sum: u32 = chip.data().iter().zip(golden.data()).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        let mean = f64::from(sum) / chip.data().len() as f64;
        println!("{name}: chips differ by {mean:.4} grey levels");
        assert!(mean <= 1.0, "{name}: {mean}");
        let lossless = name.ends_with(".png");
        assert!(!lossless || chip == golden, "{name}: without JPEG in between the chip is dlib's to the byte");
    }
}

#[test]
fn five_points_on_the_golden_boxes_are_dlibs_within_a_pixel() {
    let predictor = Predictor::load(&weights()).unwrap();
    for (name, (_, face)) in golden() {
        let found = predictor.points(&uncoloured_photo(&name), &face.area());
        for (got, want) in found.into_iter().zip(points(face.landmarks5)) {
            assert!((got.x - want.x).abs() <= 1.0 && (got.y - want.y).abs() <= 1.0, "{name}: {got:?}, dlib {want:?}");
        }
    }
}

#[test]
fn face_check_on_the_golden_boxes_is_facenet_pytorchs() {
    let check = FaceCheck::load(&weights()).unwrap();
    for (name, (_, face)) in golden() {
        let checked = check.check(&uncoloured_photo(&name), &[face.area()]).unwrap().remove(0).unwrap();
        let off = (checked.probability - face.onet_on_hog_rect.prob).abs();
        let furthest = checked
            .marks
            .into_iter()
            .zip(points(face.onet_on_hog_rect.points))
            .map(|(got, want)| got.distance(want))
            .fold(0.0, f32::max);
        println!("{name}: probability off by {off:e}, points by at most {furthest:.4} px");
        assert!(off <= 1e-3, "{name}: {off}");
        assert!(furthest <= 0.5, "{name}: {furthest}");
    }
}

/// All photos by the product's own path.
fn analyses() -> BTreeMap<String, Analysis> {
    let pipeline = Pipeline::load(&weights()).unwrap();
    golden().into_keys().map(|name| (name.clone(), pipeline.analyse(&photo(&name)).unwrap())).collect()
}

#[test]
fn by_our_own_path_all_seven_faces_are_found_and_every_decision_is_dlibs() {
    let golden = golden();
    let analyses = analyses();
    let ours: BTreeMap<&str, &Descriptor> = analyses
        .iter()
        .map(|(name, analysis)| {
            assert_eq!(analysis.faces.len(), 1, "{name}");
            let face = &analysis.faces[0];
            assert!(face.probability_milli >= 900, "{name}");
            (name.as_str(), face.descriptor.as_ref().unwrap())
        })
        .collect();
    for (a, (_, face_a)) in &golden {
        for (b, (_, face_b)) in &golden {
            let dlib = distance(&face_a.descriptor, &face_b.descriptor);
            let own = ours[a.as_str()].distance(ours[b.as_str()]).unwrap();
            if a < b {
                println!("{a} - {b}: ours {own:.3}, dlib {dlib:.3}");
            }
            assert_eq!(own < SAME, dlib < SAME, "{a} - {b}: ours {own}, dlib {dlib}");
        }
    }
}

#[test]
fn analyses_carry_files_and_ids() {
    let name = "obama.jpg";
    let pipeline = Pipeline::load(&weights()).unwrap();
    let analysis = pipeline.analyse(&photo(name)).unwrap();
    assert_eq!((analysis.width, analysis.height), (910, 1137));
    assert_eq!(analysis.aligner_id, "mmod+dlib5+chip150-v1");
    assert_eq!(analysis.model_id.len(), 64);
    let original = decode(&analysis.original).unwrap();
    assert_eq!((original.width(), original.height()), (910, 1137));
    let portrait = decode(&analysis.portrait.unwrap()).unwrap();
    let cut = analysis.cut.unwrap();
    assert_eq!((portrait.width(), portrait.height()), (cut.w as u32, cut.h as u32));
    let thumb = decode(&analysis.thumb).unwrap();
    assert_eq!(thumb.width().max(thumb.height()), 320);
}

#[test]
fn the_demos_photos_have_the_quality_that_data_md_expects() {
    let warn_yaw = ["32bit.png", "biden.jpg", "obama2.jpg", "obama3.jpg"];
    for (name, analysis) in analyses() {
        let found = &analysis.quality.findings;
        println!("{name}: {found:?} {:?}", analysis.quality.components);
        let has = |code: QualityCode, level: Level| found.iter().any(|f| f.code == code && f.level == level);
        assert_eq!(has(QualityCode::TurnedHead, Level::Warn), warn_yaw.contains(&name.as_str()), "{name}: {found:?}");
        let fails: Vec<_> = found.iter().filter(|f| f.level == Level::Fail).collect();
        if name == "obama3.jpg" {
            assert!(has(QualityCode::ChinUp, Level::Fail), "{found:?}");
            assert!(fails.iter().any(|f| f.limit_milli == 400 && (320..=380).contains(&f.figure_milli)), "{found:?}");
        }
    }
}

#[test]
fn a_small_face_is_found_by_the_second_look() {
    let pipeline = Pipeline::load(&weights()).unwrap();
    // The face of this photo is 270 px wide: at 200 px of height it is 47, below what the first look can see.
    let small = shrink(&photo("obama.jpg"), 200);
    let faces = pipeline.analyse(&small).unwrap().faces;
    assert_eq!(faces.len(), 1);
    let area = faces[0].area;
    assert!((25..80).contains(&area.w) && area.x > 40 && area.x + area.w < 130, "{area:?}");
}

#[test]
fn a_picture_without_a_face_is_an_answer_and_not_an_error() {
    let pipeline = Pipeline::load(&weights()).unwrap();
    for (width, height) in [(640, 480), (32, 800), (33, 33)] {
        let noise = (0..width * height * 3).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let analysis = pipeline.analyse(&Rgb::new(width, height, noise).unwrap()).unwrap();
        assert!(analysis.faces.is_empty() && analysis.cut.is_none() && analysis.portrait.is_none());
        assert!(analysis.quality.findings.iter().any(|f| f.code == QualityCode::NoFace && f.level == Level::Fail));
    }
}

#[test]
fn a_live_frame_gets_a_box_and_one_advice() {
    let pipeline = Pipeline::load(&weights()).unwrap();
    let frame = shrink(&photo("obama.jpg"), 640);
    let advice = pipeline.advise(&frame).unwrap();
    let area = advice.area.unwrap();
    assert!(area.x > 150 && area.x + area.w < 400 && area.y > 40 && area.y + area.h < 300, "{area:?}");
    assert!(advice.marks.is_some() && advice.readiness_percent > 40, "{advice:?}");
    let empty = pipeline.advise(&Rgb::new(640, 480, vec![90; 640 * 480 * 3]).unwrap()).unwrap();
    assert_eq!((empty.area, empty.advice), (None, Some(QualityCode::NoFace)));
}
