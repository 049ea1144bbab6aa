//! What this appliance remembers of a picture besides the replicated row: the file's name, how the driver was found, what was
//! measured and where the points are. Local, never sent; templates are not in it.

use parkdesk_domain::body::{Crop, FaceBox};
use parkdesk_domain::{BlobId, RowId};
use parkdesk_sqlite::{ReadTx, WriteTx};
use parkdesk_vision::faces::protocol::Analysis;
use parkdesk_vision::geometry::{PORTRAIT_HEIGHT, PORTRAIT_WIDTH, Point};
use parkdesk_vision::quality::{Finding, Level, Quality};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::capture::{AssignedBy, Shot, TrayReason};
use crate::error::{Error, Result};

/// The note of one picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// The file it was taken from.
    pub(crate) file_name: String,
    /// SHA-256 of that file; a note of an older program has none.
    #[serde(default)]
    pub(crate) sha256: Option<BlobId>,
    /// How the driver was found; none in the tray.
    pub(crate) assigned_by: Option<AssignedBy>,
    /// How it waited in the tray before, so that it can go back there; none if it never did.
    #[serde(default)]
    pub(crate) waited: Option<Waited>,
    /// Of the original.
    pub(crate) size: Size,
    /// Components and findings with their figures.
    pub(crate) quality: Quality,
    /// Boxes and points, the main face first.
    pub(crate) faces: Vec<FaceGeometry>,
    /// The portrait's rectangle.
    pub(crate) crop: Option<Crop>,
}

/// How a picture waited in the tray.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Waited {
    /// The park, if that was known.
    pub(crate) park: Option<RowId>,
    /// Why it waited.
    pub(crate) reason: TrayReason,
    /// What the face pipeline said; pictures and templates are not written.
    pub(crate) analysis: Analysis,
}

/// Columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Where a face is in the original, for drawing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FaceGeometry {
    /// The box.
    #[schema(value_type = BoxView)]
    pub area: FaceBox,
    /// Eye corners and the base of the nose, [x, y] in pixels.
    pub points: Vec<[f32; 2]>,
    /// Eyes, tip of the nose, corners of the mouth, [x, y] in pixels.
    pub marks: Vec<[f32; 2]>,
}

/// A box in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BoxView {
    /// Left.
    pub x: i32,
    /// Top.
    pub y: i32,
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
}

/// A rectangle of the original in pixels, turned about its centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CropView {
    /// Left.
    pub x: i32,
    /// Top.
    pub y: i32,
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
    /// Clockwise turn, hundredths of a degree.
    pub turn: i32,
}

impl Note {
    pub(crate) fn new(shot: &Shot, assigned_by: Option<AssignedBy>) -> Self {
        let analysis = &shot.analysis;
        Self {
            file_name: shot.file_name.clone(),
            sha256: Some(shot.sha.clone()),
            assigned_by,
            waited: None,
            size: Size { width: analysis.width, height: analysis.height },
            quality: analysis.quality.clone(),
            faces: analysis
                .faces
                .iter()
                .map(|face| FaceGeometry {
                    area: FaceBox { x: face.area.x, y: face.area.y, w: face.area.w, h: face.area.h },
                    points: face.points.iter().map(pair).collect(),
                    marks: face.marks.iter().map(pair).collect(),
                })
                .collect(),
            crop: analysis.cut.map(|cut| Crop { x: cut.x, y: cut.y, w: cut.w, h: cut.h, turn: cut.turn }),
        }
    }

    /// Keeps the note of a photo.
    pub(crate) fn write(&self, tx: &mut WriteTx<'_>, photo: &RowId) -> Result<()> {
        Ok(tx.set_setting(&key(photo), &to_json(self)?)?)
    }

    /// The note of a photo, if this appliance took it.
    pub(crate) fn read(tx: &ReadTx<'_>, photo: &RowId) -> Result<Option<Self>> {
        let text: Option<String> = tx.setting(&key(photo))?;
        text.map(|text| serde_json::from_str(&text).map_err(|_| Error::Damaged("the note of a photo"))).transpose()
    }

    /// Codes as they travel: a failed one ends in `!`.
    pub(crate) fn codes(&self) -> Vec<String> {
        self.quality.findings.iter().map(code).collect()
    }
}

fn key(photo: &RowId) -> String {
    format!("photo_note/{photo}")
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::Damaged("a note cannot be written"))
}

fn code(finding: &Finding) -> String {
    match finding.level {
        Level::Fail => format!("{}!", finding.code.as_str()),
        Level::Warn => finding.code.as_str().to_owned(),
    }
}

fn pair(point: &Point) -> [f32; 2] {
    // Tenths of a pixel are enough to draw with.
    [point.x, point.y].map(|value| (value * 10.0).round() / 10.0)
}

/// The portrait's size follows from its rectangle: scaled down to the largest portrait, never enlarged.
pub(crate) fn portrait_size(crop: &Crop) -> Size {
    let side = |side: i32, most: u32| u32::try_from(side).unwrap_or(0).min(most);
    Size { width: side(crop.w, PORTRAIT_WIDTH), height: side(crop.h, PORTRAIT_HEIGHT) }
}

impl From<FaceBox> for BoxView {
    fn from(FaceBox { x, y, w, h }: FaceBox) -> Self {
        Self { x, y, w, h }
    }
}

impl From<Crop> for CropView {
    fn from(Crop { x, y, w, h, turn }: Crop) -> Self {
        Self { x, y, w, h, turn }
    }
}
