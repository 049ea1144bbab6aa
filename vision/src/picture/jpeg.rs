//! JPEG in and out through libjpeg-turbo.
//!
//! Baseline and progressive, grey, RGB, YCbCr, CMYK and YCCK. A file that ends early is refused although the library would
//! fill the rest with grey: half a face must not pass for a whole one. The one warning that is forgiven is stray bytes
//! before a marker, which some cameras write and which loses no pixel.

use turbojpeg::{Colorspace, Compressor, Decompressor, Image, PixelFormat, Subsamp};

use super::turn;
use super::{Pixels, Raw, Rgb, broken};
use crate::limits::{self, AdobeTransform, Rejection, RejectionCode};

pub(super) fn decode(bytes: &[u8]) -> Result<Raw, Rejection> {
    let segments = limits::jpeg_header(bytes)?;
    let mut decoder = Decompressor::new().map_err(|_| broken())?;
    decoder.set_scan_limit(limits::MAX_SCANS).map_err(|_| broken())?;
    let header = decoder.read_header(bytes).map_err(|error| refusal(&error))?;
    // The library's own reading must agree with ours, because ours was checked against the limits.
    if header.width != segments.width as usize || header.height != segments.height as usize {
        return Err(broken());
    }
    let ink = matches!(header.colorspace, Colorspace::CMYK | Colorspace::YCCK);
    let format = if ink { PixelFormat::CMYK } else { PixelFormat::RGB };
    let pitch = header.width * format.size();
    let mut data = vec![0; header.height * pitch];
    let target = Image { pixels: data.as_mut_slice(), width: header.width, pitch, height: header.height, format };
    match decoder.decompress(bytes, target) {
        Ok(()) => {}
        Err(error) if is_harmless(&error) => {}
        Err(error) => return Err(refusal(&error)),
    }
    if ink && segments.adobe == AdobeTransform::Present {
        for value in &mut data {
            *value = 255 - *value;
        }
    }
    Ok(Raw {
        pixels: Pixels { width: segments.width, height: segments.height, ink, data },
        orientation: turn::orientation(segments.exif.as_deref()),
        profile: segments.icc,
    })
}

pub(super) fn encode(picture: &Rgb, quality: u8) -> Vec<u8> {
    let width = picture.width as usize;
    let image = Image {
        pixels: picture.data.as_slice(),
        width,
        pitch: width * 3,
        height: picture.height as usize,
        format: PixelFormat::RGB,
    };
    let mut encoder = Compressor::new().expect("BUG: the encoder has no condition to fail on but memory");
    encoder.set_quality(i32::from(quality.clamp(1, 100))).expect("BUG: the quality is in range");
    encoder.set_subsamp(Subsamp::Sub2x2).expect("BUG: 4:2:0 is always there");
    encoder.compress_to_vec(image).expect("BUG: a checked picture always encodes")
}

fn is_harmless(error: &turbojpeg::Error) -> bool {
    matches!(error, turbojpeg::Error::TurboJpegError(text) if text.contains("extraneous bytes before marker"))
}

fn refusal(error: &turbojpeg::Error) -> Rejection {
    let text = error.to_string().to_ascii_lowercase();
    // "Premature end of JPEG file" and "premature end of data segment".
    let code = if text.contains("premature end") { RejectionCode::Truncated } else { RejectionCode::Broken };
    Rejection::plain(code)
}
