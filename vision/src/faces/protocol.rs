//! What goes over the pipe between a caller and `parkdesk-faces`.
//!
//! A message is: length of the header (u32 LE), the header (JSON), number of attachments (u32 LE), then each attachment as its
//! length (u64 LE) and its bytes. Requests carry the picture, answers carry the files and the descriptors, so that neither
//! pixels nor templates pass through JSON. One request is answered by one answer, in order.
//!
//! Invariant: a reader allocates only what has arrived, and refuses figures beyond its bounds before reading on; neither side
//! can exhaust the other (guarded by `arbitrary_bytes_never_panic_the_readers` and `a_giant_length_is_refused_unread`).

mod frame;

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use self::frame::Bounds;
pub use self::frame::ProtocolError;
use crate::geometry::{Area, Cut, Point};
use crate::limits::{MAX_BYTES, Rejection};
use crate::quality::{Level, Quality, QualityCode};

/// Version of this protocol; both sides refuse another.
pub const VERSION: u32 = 2;
/// Most faces of one picture that are reported; more are dropped, smallest first.
pub const MAX_FACES: usize = 64;
/// Most numbers of a descriptor.
pub const MAX_DIMENSION: usize = 2048;

const REQUEST_BOUNDS: Bounds =
    Bounds { header: 4 * 1024, attachments: 1, attachment: MAX_BYTES as u64, total: MAX_BYTES as u64 };
const ANSWER_BOUNDS: Bounds =
    Bounds { header: 512 * 1024, attachments: 3 + MAX_FACES as u32, attachment: 64 << 20, total: 96 << 20 };

/// What is to be done with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Everything: files, faces, quality, descriptors.
    Analyse,
    /// A live camera frame: one face, one advice.
    Live,
    /// The portrait at another place of an original; any integers give some picture, as [`crate::geometry::cut_portrait`]
    /// says, and the same ones the same bytes.
    Portrait(Cut),
}

/// Whose job goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// A live camera frame; only the newest counts.
    Live,
    /// A person waits for this photo.
    Save,
    /// The watched folder.
    Folder,
    /// Computing templates anew.
    Reindex,
}

/// One job as the child reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// What to do.
    pub job: Job,
    /// Number of the job; the answer repeats it.
    pub id: u64,
    /// The picture's bytes as they came.
    pub picture: Vec<u8>,
}

/// What the child says.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// First message after warm-up.
    Ready(Ready),
    /// First and last message of a child that cannot work (weights missing or not the pinned ones).
    Unable {
        /// One sentence for the log and the status page.
        reason: String,
    },
    /// A job is done.
    Analysed {
        /// The job's number.
        id: u64,
        /// The result.
        analysis: Box<Analysis>,
    },
    /// A live frame is looked at.
    Live {
        /// The job's number.
        id: u64,
        /// The result.
        advice: LiveAdvice,
    },
    /// A portrait is cut.
    Portrait {
        /// The job's number.
        id: u64,
        /// The portrait, JPEG (attachment).
        portrait: Vec<u8>,
    },
    /// The picture breaks a limit or is damaged.
    Rejected {
        /// The job's number.
        id: u64,
        /// Why.
        rejection: Rejection,
    },
}

/// What a warm child is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// [`VERSION`] of the child.
    pub version: u32,
    /// SHA-256 of the embedder's weights.
    pub model_id: String,
    /// Name of the alignment.
    pub aligner_id: String,
}

/// Answer to [`Job::Analyse`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// Columns of the original as re-encoded.
    pub width: u32,
    /// Rows of the original as re-encoded.
    pub height: u32,
    /// Faces, largest first; the first is the main face.
    pub faces: Vec<Face>,
    /// Verdict on the photo.
    pub quality: Quality,
    /// The portrait's place in the original; `None` without a face.
    pub cut: Option<Cut>,
    /// Hash of the picture's looks, for near duplicates.
    #[serde(with = "hex_u64")]
    pub perceptual_hash: u64,
    /// SHA-256 of the embedder's weights.
    pub model_id: String,
    /// Name of the alignment.
    pub aligner_id: String,
    /// The whole picture, JPEG (attachment).
    #[serde(skip)]
    pub original: Vec<u8>,
    /// The portrait, JPEG (attachment); `None` without a face.
    #[serde(skip)]
    pub portrait: Option<Vec<u8>>,
    /// The small picture, JPEG (attachment).
    #[serde(skip)]
    pub thumb: Vec<u8>,
}

/// One face. Points are in pixels of the original.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// The detector's box.
    pub area: Area,
    /// The detector's score in thousandths.
    pub detection_milli: i32,
    /// O-Net's probability of a face in thousandths.
    pub probability_milli: i32,
    /// dlib's five points: image-right eye outer and inner corner, image-left eye outer and inner corner, base of the nose.
    pub points: [Point; 5],
    /// O-Net's five points: image-left eye, image-right eye, nose tip, image-left and image-right mouth corner.
    pub marks: [Point; 5],
    /// The template (attachment); `None` if it was not computed.
    #[serde(skip)]
    pub descriptor: Option<Descriptor>,
}

impl Face {
    /// The eyes' centres, image-left first, as the middle of dlib's corners.
    pub fn eyes(&self) -> (Point, Point) {
        let [right_outer, right_inner, left_outer, left_inner, _] = self.points;
        (left_outer.middle(left_inner), right_outer.middle(right_inner))
    }
}

/// A face template. It is biometric data: never printed, never serialised with its surroundings, never sent to another place,
/// and wiped when it is dropped.
///
/// Invariant: 1 to [`MAX_DIMENSION`] finite numbers, not all zero. A NaN or zero vector would be near nothing or everything.
#[derive(Clone, PartialEq)]
pub struct Descriptor(Vec<f32>);

/// These numbers are no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a template needs 1 to {MAX_DIMENSION} finite numbers that are not all zero")]
pub struct NotADescriptor;

impl Descriptor {
    /// Checks and takes the numbers.
    ///
    /// # Errors
    /// If there are none or too many, one is not finite, or all are zero.
    pub fn new(values: Vec<f32>) -> Result<Self, NotADescriptor> {
        let good = (1..=MAX_DIMENSION).contains(&values.len())
            && values.iter().all(|value| value.is_finite())
            && values.iter().any(|value| *value != 0.0);
        if good { Ok(Self(values)) } else { Err(NotADescriptor) }
    }

    /// The numbers.
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// The numbers as f32 little endian, for sealing.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// If the length is no multiple of four or the numbers are no template.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotADescriptor> {
        let (values, []) = bytes.as_chunks::<4>() else {
            return Err(NotADescriptor);
        };
        Self::new(values.iter().map(|value| f32::from_le_bytes(*value)).collect())
    }

    /// The Euclidean distance to another template; `None` if they have different dimensions.
    pub fn distance(&self, other: &Self) -> Option<f32> {
        (self.0.len() == other.0.len()).then(|| crate::index::squared_distance(&self.0, &other.0).sqrt())
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Descriptor(..)")
    }
}

/// Answer to [`Job::Live`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveAdvice {
    /// Columns of the frame, upright.
    pub width: u32,
    /// Rows of the frame, upright.
    pub height: u32,
    /// The main face's box in pixels of the frame.
    pub area: Option<Area>,
    /// The main face's O-Net points.
    pub marks: Option<[Point; 5]>,
    /// The one thing to say.
    pub advice: Option<QualityCode>,
    /// How bad that is.
    pub level: Option<Level>,
    /// 0 to 100.
    pub readiness_percent: u8,
}

#[derive(Serialize, Deserialize)]
struct RequestHeader {
    id: u64,
    job: Job,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
enum AnswerHeader {
    Ready(Ready),
    Unable { reason: String },
    Analysed { id: u64, analysis: Box<Analysis> },
    Live { id: u64, advice: LiveAdvice },
    Portrait { id: u64 },
    Rejected { id: u64, rejection: Rejection },
}

/// Writes one request and flushes.
///
/// # Errors
/// If the pipe breaks or the picture is beyond the bounds.
pub fn write_request(to: &mut impl Write, id: u64, job: Job, picture: &[u8]) -> Result<(), ProtocolError> {
    let header = serde_json::to_vec(&RequestHeader { id, job }).map_err(ProtocolError::Header)?;
    frame::write(to, REQUEST_BOUNDS, &header, &[picture])
}

/// Reads one request; `None` when the caller has closed the pipe between messages.
///
/// # Errors
/// If the pipe breaks inside a message or the bytes are no request within the bounds.
pub fn read_request(from: &mut impl Read) -> Result<Option<Request>, ProtocolError> {
    let Some((header, attachments)) = frame::read(from, REQUEST_BOUNDS)? else {
        return Ok(None);
    };
    let RequestHeader { id, job } = serde_json::from_slice(&header).map_err(ProtocolError::Header)?;
    let Ok([picture]) = <[Vec<u8>; 1]>::try_from(attachments) else {
        return Err(ProtocolError::Attachments);
    };
    Ok(Some(Request { job, id, picture }))
}

/// Writes one answer and flushes.
///
/// # Errors
/// If the pipe breaks or the answer is beyond the bounds.
pub fn write_answer(to: &mut impl Write, answer: Answer) -> Result<(), ProtocolError> {
    let mut attachments = Vec::new();
    let header = match answer {
        Answer::Ready(ready) => AnswerHeader::Ready(ready),
        Answer::Unable { reason } => AnswerHeader::Unable { reason },
        Answer::Analysed { id, mut analysis } => {
            analysis.faces.truncate(MAX_FACES);
            attachments.push(std::mem::take(&mut analysis.original));
            attachments.push(std::mem::take(&mut analysis.thumb));
            // An empty attachment stands for none: neither a JPEG nor a template can be empty.
            attachments.push(analysis.portrait.take().unwrap_or_default());
            attachments.extend(
                analysis
                    .faces
                    .iter()
                    .map(|face| face.descriptor.as_ref().map(Descriptor::to_bytes).unwrap_or_default()),
            );
            AnswerHeader::Analysed { id, analysis }
        }
        Answer::Live { id, advice } => AnswerHeader::Live { id, advice },
        Answer::Portrait { id, portrait } => {
            attachments.push(portrait);
            AnswerHeader::Portrait { id }
        }
        Answer::Rejected { id, rejection } => AnswerHeader::Rejected { id, rejection },
    };
    let header = serde_json::to_vec(&header).map_err(ProtocolError::Header)?;
    let attachments: Vec<&[u8]> = attachments.iter().map(Vec::as_slice).collect();
    frame::write(to, ANSWER_BOUNDS, &header, &attachments)
}

/// Reads one answer; `None` when the child has closed the pipe between messages.
///
/// # Errors
/// If the pipe breaks inside a message or the bytes are no answer within the bounds.
pub fn read_answer(from: &mut impl Read) -> Result<Option<Answer>, ProtocolError> {
    let Some((header, attachments)) = frame::read(from, ANSWER_BOUNDS)? else {
        return Ok(None);
    };
    let header: AnswerHeader = serde_json::from_slice(&header).map_err(ProtocolError::Header)?;
    let may_have_files = matches!(header, AnswerHeader::Analysed { .. } | AnswerHeader::Portrait { .. });
    if !may_have_files && !attachments.is_empty() {
        return Err(ProtocolError::Attachments);
    }
    Ok(Some(match header {
        AnswerHeader::Ready(ready) => Answer::Ready(ready),
        AnswerHeader::Unable { reason } => Answer::Unable { reason },
        AnswerHeader::Analysed { id, analysis } => {
            Answer::Analysed { id, analysis: Box::new(join(*analysis, attachments)?) }
        }
        AnswerHeader::Live { id, advice } => Answer::Live { id, advice },
        AnswerHeader::Portrait { id } => {
            let Ok([portrait]) = <[Vec<u8>; 1]>::try_from(attachments) else {
                return Err(ProtocolError::Attachments);
            };
            if !is_jpeg(&portrait) {
                return Err(ProtocolError::Attachments);
            }
            Answer::Portrait { id, portrait }
        }
        AnswerHeader::Rejected { id, rejection } => Answer::Rejected { id, rejection },
    }))
}

/// Puts the attachments back where they belong.
fn join(mut analysis: Analysis, attachments: Vec<Vec<u8>>) -> Result<Analysis, ProtocolError> {
    if attachments.len() != 3 + analysis.faces.len() {
        return Err(ProtocolError::Attachments);
    }
    let mut attachments = attachments.into_iter();
    let mut next = || attachments.next().unwrap_or_default();
    analysis.original = next();
    analysis.thumb = next();
    analysis.portrait = Some(next()).filter(|portrait| !portrait.is_empty());
    let files_fit = is_jpeg(&analysis.original)
        && is_jpeg(&analysis.thumb)
        && analysis.portrait.as_deref().is_none_or(is_jpeg)
        && analysis.portrait.is_some() == analysis.cut.is_some();
    if !files_fit {
        return Err(ProtocolError::Attachments);
    }
    for face in &mut analysis.faces {
        let bytes = next();
        if !bytes.is_empty() {
            face.descriptor = Some(Descriptor::from_bytes(&bytes).map_err(|_| ProtocolError::Attachments)?);
        }
    }
    Ok(analysis)
}

fn is_jpeg(file: &[u8]) -> bool {
    file.starts_with(&[0xff, 0xd8, 0xff])
}

mod hex_u64 {
    //! A hash as 16 hex digits: JSON numbers are not safe beyond 53 bits.

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{value:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() != 16 {
            return Err(D::Error::custom("a perceptual hash has 16 hex digits"));
        }
        u64::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}
