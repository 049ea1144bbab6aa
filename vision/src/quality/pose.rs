//! Pose of a head from five points.
//!
//! The ratios and limits were calibrated on people photographed from known angles: about 7 degrees of yaw per 0.05 and 5
//! degrees of pitch per 0.036. People differ by as much as the 5 degrees of the passport standard, so the limits gate at 12 to
//! 15 degrees.

use super::{Level, QualityCode};
use crate::geometry::Point;

/// Mean of the nose's place between eyes and mouth of people who look straight ahead.
const LEVEL_PITCH: f64 = 0.585;

/// Ratios of O-Net's five points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Distance between the eyes in pixels.
    pub eye_distance: f64,
    /// Lean to a shoulder in degrees, clockwise.
    pub roll_degrees: f64,
    /// The nose's offset to the image's right, in eye distances.
    pub yaw: f64,
    /// The nose's place between the eyes (0) and the mouth (1).
    pub pitch: f64,
    /// Distance from eyes to mouth, in eye distances.
    pub eyes_to_mouth: f64,
}

impl Pose {
    /// The pose of image-left eye, image-right eye, nose, image-left and image-right mouth corner; `None` for points that are
    /// no face.
    pub fn of(marks: &[Point; 5]) -> Option<Self> {
        let [left, right, nose, mouth_left, mouth_right] = marks.map(|point| (f64::from(point.x), f64::from(point.y)));
        let eyes = (f64::midpoint(left.0, right.0), f64::midpoint(left.1, right.1));
        let mouth = (f64::midpoint(mouth_left.0, mouth_right.0), f64::midpoint(mouth_left.1, mouth_right.1));
        let eye_distance = (right.0 - left.0).hypot(right.1 - left.1);
        if !(eye_distance.is_finite() && (1.0..1e6).contains(&eye_distance)) {
            return None;
        }
        let (sin, cos) = ((right.1 - left.1) / eye_distance, (right.0 - left.0) / eye_distance);
        let level = |point: (f64, f64)| {
            let (dx, dy) = (point.0 - eyes.0, point.1 - eyes.1);
            (cos * dx + sin * dy, -sin * dx + cos * dy)
        };
        let (nose, mouth) = (level(nose), level(mouth));
        let pose = Self {
            eye_distance,
            roll_degrees: sin.atan2(cos).to_degrees(),
            yaw: nose.0 / eye_distance,
            pitch: nose.1 / mouth.1,
            eyes_to_mouth: mouth.1 / eye_distance,
        };
        (pose.yaw.is_finite() && pose.pitch.is_finite() && pose.eyes_to_mouth > 0.1).then_some(pose)
    }

    /// Yaw in degrees, as near as five points tell.
    pub fn yaw_degrees(&self) -> f64 {
        (self.yaw * 140.0).clamp(-90.0, 90.0)
    }

    /// Pitch in degrees, as near as five points tell; positive is chin down.
    pub fn pitch_degrees(&self) -> f64 {
        ((self.pitch - LEVEL_PITCH) * 146.0).clamp(-90.0, 90.0)
    }

    /// Broken limits: code, level, figure, limit.
    pub(super) fn findings(&self) -> Vec<(QualityCode, Level, f64, f64)> {
        let mut found = Vec::new();
        let yaw = self.yaw.abs();
        if yaw > 0.25 {
            found.push((QualityCode::TurnedHead, Level::Fail, yaw, 0.25));
        } else if yaw > 0.15 {
            found.push((QualityCode::TurnedHead, Level::Warn, yaw, 0.15));
        } else if self.eyes_to_mouth > 1.30 {
            // A far turn brings the eyes together before the nose says much.
            found.push((QualityCode::TurnedHead, Level::Warn, self.eyes_to_mouth, 1.30));
        }
        if self.pitch < 0.40 {
            found.push((QualityCode::ChinUp, Level::Fail, self.pitch, 0.40));
        } else if self.pitch < 0.47 {
            found.push((QualityCode::ChinUp, Level::Warn, self.pitch, 0.47));
        } else if self.pitch > 0.75 {
            found.push((QualityCode::ChinDown, Level::Fail, self.pitch, 0.75));
        } else if self.pitch > 0.70 {
            found.push((QualityCode::ChinDown, Level::Warn, self.pitch, 0.70));
        }
        if self.roll_degrees.abs() > 8.0 {
            found.push((QualityCode::Tilted, Level::Warn, self.roll_degrees.abs(), 8.0));
        }
        found
    }
}
