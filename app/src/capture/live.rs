//! Live camera frames: where the face is, and one steady line of advice.
//!
//! A face in front of a camera wavers: from frame to frame the first finding may change and change back. People are told one
//! line at a time, so a line stands until another one was the answer of three frames in a row and the shown one has stood for
//! 0.8 s; readiness moves half way to each frame's. The box is never held back. One camera is looked at per appliance: the
//! faces process takes only the newest frame anyway.

use parkdesk_domain::Millis;
use parkdesk_vision::faces::protocol::LiveAdvice;
use parkdesk_vision::geometry::Area;
use parkdesk_vision::limits;
use parkdesk_vision::quality::{Lang, Level, QualityCode, advice};
use serde::{Deserialize, Serialize};
use std::sync::PoisonError;
use utoipa::ToSchema;

use super::ShotError;
use crate::App;
use crate::error::Error;
use crate::words;

/// Longest side and most bytes of a frame: the page sends 640 px.
const FRAME_SIDE: u32 = 1280;
const FRAME_BYTES: usize = 1_000_000;
/// How long a line stands at least, and in how many frames in a row another must be the answer.
const STANDS_MS: i64 = 800;
const IN_A_ROW: u32 = 3;
/// After such a gap the camera was away: everything begins anew.
const GAP_MS: i64 = 2000;
/// How long after a frame the camera counts as live.
const LIVE_MS: i64 = 5000;

/// What a frame shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LiveView {
    /// The main face's box as shares of the frame's sides; it may leave the frame.
    pub face: Option<FractionBox>,
    /// The one thing to say, steady over frames; none when all is well.
    pub advice: Option<String>,
    /// How bad that is.
    pub level: LiveLevel,
    /// The line in Russian, also when all is well.
    pub advice_ru: String,
    /// The line in English, also when all is well.
    pub advice_en: String,
    /// How ready the sitter is, 0 to 100.
    pub readiness: u8,
}

/// A box as shares of a picture's sides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FractionBox {
    /// Left.
    pub x: f32,
    /// Top.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

/// How bad the line of a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiveLevel {
    /// Shoot.
    Ok,
    /// It could be better.
    Warn,
    /// Another shot would be asked for.
    Fail,
}

/// A line, or that all is well.
type Line = Option<(QualityCode, Level)>;

/// What is shown, and what may take its place.
#[derive(Default)]
pub(crate) struct Steady {
    shown: Option<Shown>,
}

struct Shown {
    line: Line,
    since: Millis,
    seen: Millis,
    rival: Option<QualityCode>,
    rival_frames: u32,
    readiness: u8,
}

impl Steady {
    /// The line and the readiness to show after a frame that said this.
    fn next(&mut self, now: Millis, line: Line, readiness: u8) -> (Line, u8) {
        let shown = match self.shown.take() {
            Some(shown) if now.0.saturating_sub(shown.seen.0) <= GAP_MS => shown.after(now, line, readiness),
            Some(_) | None => Shown { line, since: now, seen: now, rival: None, rival_frames: 0, readiness },
        };
        let answer = (shown.line, shown.readiness);
        self.shown = Some(shown);
        answer
    }
}

impl Shown {
    fn after(mut self, now: Millis, line: Line, readiness: u8) -> Self {
        let (code, shown) = (line.map(|(code, _)| code), self.line.map(|(code, _)| code));
        self.seen = now;
        self.readiness = u8::try_from((u16::from(self.readiness) + u16::from(readiness)).div_ceil(2)).unwrap_or(100);
        if code == shown {
            // The same line may become worse or better at once.
            self.line = line;
            self.rival_frames = 0;
            return self;
        }
        self.rival_frames = if self.rival_frames > 0 && self.rival == code { self.rival_frames + 1 } else { 1 };
        self.rival = code;
        if self.rival_frames >= IN_A_ROW && now.0.saturating_sub(self.since.0) >= STANDS_MS {
            self.line = line;
            self.since = now;
            self.rival_frames = 0;
        }
        self
    }
}

impl App {
    /// Whether somebody sits in front of the camera now.
    pub(crate) fn is_camera_live(&self) -> bool {
        let steady = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        steady.shown.as_ref().is_some_and(|shown| self.now().0.saturating_sub(shown.seen.0) <= LIVE_MS)
    }

    /// Looks at a camera frame. Blocks until it is looked at or a newer one took its place.
    ///
    /// # Errors
    /// [`ShotError::Superseded`] when a newer frame came; what the faces process says of the frame.
    pub fn look_live(&self, frame: Vec<u8>) -> Result<LiveView, ShotError> {
        let too_large = Error::BadInput { field: "frame", why: "a live frame has at most 1280 px and 1 MB" };
        if frame.len() > FRAME_BYTES {
            return Err(too_large.into());
        }
        let header = limits::inspect(&frame).map_err(|rejection| ShotError::Take(rejection.into()))?;
        if header.width.max(header.height) > FRAME_SIDE {
            return Err(too_large.into());
        }
        let looked = self.parts.faces.live(frame)?;
        let line = looked.advice.zip(looked.level);
        let mut steady = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        let (line, readiness) = steady.next(self.now(), line, looked.readiness_percent);
        Ok(view(&looked, line, readiness))
    }
}

fn view(looked: &LiveAdvice, line: Line, readiness: u8) -> LiveView {
    let text = |lang| match line {
        Some((code, _)) => advice(code, lang).to_owned(),
        None => words::live_ready(lang).to_owned(),
    };
    LiveView {
        face: looked.area.map(|area| fractions(area, looked.width, looked.height)),
        advice: line.map(|(code, _)| code.as_str().to_owned()),
        level: match line {
            None => LiveLevel::Ok,
            Some((_, Level::Warn)) => LiveLevel::Warn,
            Some((_, Level::Fail)) => LiveLevel::Fail,
        },
        advice_ru: text(Lang::Ru),
        advice_en: text(Lang::En),
        readiness,
    }
}

fn fractions(area: Area, width: u32, height: u32) -> FractionBox {
    let share = |part: i32, whole: u32| (part as f32 / whole.max(1) as f32 * 10_000.0).round() / 10_000.0;
    FractionBox { x: share(area.x, width), y: share(area.y, height), w: share(area.w, width), h: share(area.h, height) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DARK: Line = Some((QualityCode::TooDark, Level::Warn));
    const TURNED: Line = Some((QualityCode::TurnedHead, Level::Fail));

    fn shown(steady: &mut Steady, at: i64, line: Line) -> Line {
        steady.next(Millis(at), line, 50).0
    }

    #[test]
    fn a_line_that_wavers_from_frame_to_frame_stands_still() {
        let mut steady = Steady::default();
        assert_eq!(shown(&mut steady, 0, DARK), DARK, "the first frame is told at once");
        for frame in 1..40 {
            let line = if frame % 2 == 0 { DARK } else { None };
            assert_eq!(shown(&mut steady, frame * 125, line), DARK, "{frame}");
        }
        for frame in 40..80 {
            let line = [TURNED, None, TURNED][(frame % 3) as usize];
            assert_eq!(shown(&mut steady, frame * 125, line), DARK, "two others in turn do not add up: {frame}");
        }
    }

    #[test]
    fn a_line_that_stays_is_shown_after_three_frames_and_the_old_ones_time() {
        let mut steady = Steady::default();
        shown(&mut steady, 0, DARK);
        let said: Vec<Line> = (1..8).map(|frame| shown(&mut steady, frame * 150, TURNED)).collect();
        assert_eq!(said, [DARK, DARK, DARK, DARK, DARK, TURNED, TURNED], "0.8 s");
        let said: Vec<Line> = [2000, 2100, 2200].map(|at| shown(&mut steady, at, None)).into();
        assert_eq!(said, [TURNED, TURNED, None], "three frames");
    }

    #[test]
    fn the_same_line_becomes_worse_at_once_and_a_gap_begins_anew() {
        let mut steady = Steady::default();
        let worse = Some((QualityCode::TooDark, Level::Fail));
        shown(&mut steady, 0, DARK);
        assert_eq!(shown(&mut steady, 100, worse), worse);
        assert_eq!(shown(&mut steady, 2200, None), None);
    }

    #[test]
    fn readiness_moves_half_way_and_reaches_its_ends() {
        let mut steady = Steady::default();
        assert_eq!(steady.next(Millis(0), None, 0).1, 0);
        let ring: Vec<u8> = (1..9).map(|frame| steady.next(Millis(frame * 100), None, 100).1).collect();
        assert_eq!(ring, [50, 75, 88, 94, 97, 99, 100, 100]);
    }

    #[test]
    fn a_box_is_told_in_shares_of_the_frame() {
        let b = fractions(Area { x: -64, y: 120, w: 320, h: 240 }, 640, 480);
        assert_eq!((b.x, b.y, b.w, b.h), (-0.1, 0.25, 0.5, 0.5));
    }
}
