//! What people read of a refused picture, in Russian and English: figures in the units they know (MB, megapixels, pixels).

use super::{MAX_SIDE, Rejection, RejectionCode};
use crate::quality::Lang;

impl Rejection {
    /// One sentence: what is wrong, with figure and limit, and what to do.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let (figure, limit) = (self.figure.unwrap_or(0), self.limit.unwrap_or(0));
        let is_long = self.limit == Some(i64::from(MAX_SIDE));
        match (self.code, lang) {
            (RejectionCode::NotAnImage, Lang::Ru) => "это не фотография: пришлите фото в JPEG, PNG или WebP".into(),
            (RejectionCode::NotAnImage, Lang::En) => {
                "this file is not a picture: send a photo as JPEG, PNG or WebP".into()
            }
            (RejectionCode::UnsupportedFormat, Lang::Ru) => {
                "такой формат не принимается: сохраните фото в JPEG, PNG или WebP и пришлите снова".into()
            }
            (RejectionCode::UnsupportedFormat, Lang::En) => {
                "this picture format is not taken: save the photo as JPEG, PNG or WebP and send it again".into()
            }
            (RejectionCode::TooManyBytes, Lang::Ru) => format!(
                "файл занимает {} МБ, принимается не больше {} МБ: сохраните фото с меньшим качеством и пришлите снова",
                millions(figure, ','),
                millions(limit, ',')
            ),
            (RejectionCode::TooManyBytes, Lang::En) => format!(
                "the file has {} MB and at most {} MB are taken: save the photo with a lower quality and send it again",
                millions(figure, '.'),
                millions(limit, '.')
            ),
            (RejectionCode::TooManyPixels, Lang::Ru) if is_long => format!(
                "длинная сторона фото — {figure} px, принимается не больше {limit} px: уменьшите фото перед отправкой"
            ),
            (RejectionCode::TooManyPixels, Lang::En) if is_long => format!(
                "the picture's longer side has {figure} px and at most {limit} px are taken: scale it down before sending"
            ),
            (RejectionCode::TooManyPixels, Lang::Ru) => format!(
                "в фото {} мегапикселей, принимается не больше {}: уменьшите фото перед отправкой",
                millions(figure, ','),
                millions(limit, ',')
            ),
            (RejectionCode::TooManyPixels, Lang::En) => format!(
                "the picture has {} megapixels and at most {} are taken: scale it down before sending",
                millions(figure, '.'),
                millions(limit, '.')
            ),
            (RejectionCode::TooSmall, Lang::Ru) => format!(
                "короткая сторона фото — {figure} px, нужно не меньше {limit} px: пришлите полное фото с камеры"
            ),
            (RejectionCode::TooSmall, Lang::En) => format!(
                "the picture's shorter side has {figure} px and at least {limit} px are needed: send the camera's full photo"
            ),
            (RejectionCode::ManyFrames, Lang::Ru) => {
                format!("это анимация (кадров: {figure}), принимается один кадр: пришлите одну фотографию")
            }
            (RejectionCode::ManyFrames, Lang::En) => {
                format!("the file is an animation of {figure} frames and one is taken: send a single photo")
            }
            (RejectionCode::Truncated, Lang::Ru) => {
                "файл обрывается раньше конца фото: скопируйте или пришлите его ещё раз целиком".into()
            }
            (RejectionCode::Truncated, Lang::En) => {
                "the file ends before the picture does: copy or send it again, completely".into()
            }
            (RejectionCode::Broken, Lang::Ru) => "файл повреждён и не читается как фото: пришлите фото ещё раз".into(),
            (RejectionCode::Broken, Lang::En) => {
                "the file is damaged and cannot be read as a picture: send the photo again".into()
            }
        }
    }
}

/// Millions with one digit after the point, rounded up, so that what broke a limit never reads as the limit itself.
fn millions(count: i64, point: char) -> String {
    let tenths = count.max(0).div_euclid(100_000) + i64::from(count.max(0) % 100_000 > 0);
    if tenths % 10 == 0 { (tenths / 10).to_string() } else { format!("{}{point}{}", tenths / 10, tenths % 10) }
}
