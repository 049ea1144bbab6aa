//! What to say to the person in front of the camera: one concrete line in the second person.
//!
//! The page has the same lines under the same keys in its own files; these are for places without a page (reason files of the
//! watched folder, the command line, logs of the demo).

use super::QualityCode;

/// Language of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// Russian.
    Ru,
    /// English.
    En,
}

impl QualityCode {
    /// Every code, in the order in which it is worth saying.
    pub const ALL: [Self; 15] = [
        Self::NoFace,
        Self::ManyFaces,
        Self::FaceTooSmall,
        Self::TurnedHead,
        Self::ChinUp,
        Self::ChinDown,
        Self::Blurred,
        Self::HeadCutOff,
        Self::TooDark,
        Self::TooBright,
        Self::UnevenLight,
        Self::FlatLight,
        Self::UnnaturalColour,
        Self::Tilted,
        Self::OffCentre,
    ];

    /// The code as it is written in rows, files and answers; also the key of its texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoFace => "no_face",
            Self::ManyFaces => "many_faces",
            Self::FaceTooSmall => "face_too_small",
            Self::TurnedHead => "turned_head",
            Self::ChinUp => "chin_up",
            Self::ChinDown => "chin_down",
            Self::Blurred => "blurred",
            Self::HeadCutOff => "head_cut_off",
            Self::TooDark => "too_dark",
            Self::TooBright => "too_bright",
            Self::UnevenLight => "uneven_light",
            Self::FlatLight => "flat_light",
            Self::UnnaturalColour => "unnatural_colour",
            Self::Tilted => "tilted",
            Self::OffCentre => "off_centre",
        }
    }

    /// The key of the code's advice in the page's texts.
    pub fn advice(self) -> String {
        format!("quality.advice.{}", self.as_str())
    }
}

/// The line for a code.
pub fn advice(code: QualityCode, lang: Lang) -> &'static str {
    let (ru, en) = match code {
        QualityCode::NoFace => ("Сядьте лицом к камере", "Sit facing the camera"),
        QualityCode::ManyFaces => ("Останьтесь в кадре одни", "Be alone in the picture"),
        QualityCode::FaceTooSmall => ("Подойдите ближе на полшага", "Come half a step closer"),
        QualityCode::TurnedHead => ("Поверните лицо прямо в камеру", "Turn your face straight to the camera"),
        QualityCode::ChinUp => ("Опустите подбородок", "Lower your chin"),
        QualityCode::ChinDown => ("Поднимите подбородок", "Raise your chin"),
        QualityCode::Blurred => ("Замрите на секунду", "Hold still for a second"),
        QualityCode::HeadCutOff => {
            ("Сядьте так, чтобы голова была в кадре целиком", "Sit so that your whole head is in the picture")
        }
        QualityCode::TooDark => ("Повернитесь к свету", "Turn towards the light"),
        QualityCode::TooBright => ("Отодвиньтесь от яркого света", "Move away from the bright light"),
        QualityCode::UnevenLight => ("Сядьте лицом к свету, а не боком", "Face the light, do not sit sideways to it"),
        QualityCode::FlatLight => ("Протрите объектив и сядьте лицом к лампе", "Wipe the lens and sit facing a lamp"),
        QualityCode::UnnaturalColour => {
            ("Выключите цветную лампу или фильтр камеры", "Turn off the coloured lamp or the camera's filter")
        }
        QualityCode::Tilted => ("Держите голову ровно", "Keep your head level"),
        QualityCode::OffCentre => ("Сядьте по центру кадра", "Sit in the middle of the picture"),
    };
    match lang {
        Lang::Ru => ru,
        Lang::En => en,
    }
}
