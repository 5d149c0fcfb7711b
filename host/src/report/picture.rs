//! A figure as a PNG: the SVG, drawn by resvg with the program's own font.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};

use super::canvas::FONT;
use super::figures::Figure;
use crate::formats::disk::{self, DiskError};
use crate::formats::outputs::{OutputError, Outputs};

/// Resolution of the PNGs: what journals ask of pictures with lines.
const DOTS_AN_INCH: f32 = 300.0;

static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    Arc::new(fonts)
});

/// A figure that cannot be drawn or saved.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// A file cannot be written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file of this name is there, and another program wrote it.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The SVG does not parse.
    #[error("the figure is no SVG: {0}")]
    Svg(#[from] resvg::usvg::Error),
    /// The figure has no area, or needs more memory than there is.
    #[error("a figure of {0} x {1} dots cannot be drawn")]
    Size(u32, u32),
    /// The encoder failed.
    #[error("the figure cannot be written as PNG: {0}")]
    Encoding(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The PNG of an SVG, on white, with 300 dots an inch.
///
/// # Errors
/// [`PictureError`], if the text is no SVG or too large.
pub fn png(svg: &str) -> Result<Vec<u8>, PictureError> {
    let options = Options {
        dpi: DOTS_AN_INCH,
        fontdb: FONTS.clone(),
        font_family: FONT.into(),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size().to_int_size();
    let mut pixels = Pixmap::new(size.width(), size.height())
        .ok_or(PictureError::Size(size.width(), size.height()))?;
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    let png = pixels
        .encode_png()
        .map_err(|error| PictureError::Encoding(Box::new(error)))?;
    Ok(signed(png))
}

/// Bytes of a PNG before its second chunk: the signature and the header.
const PNG_HEAD: usize = 33;

/// The chunk that says which program made a PNG.
const SOFTWARE: &[u8] = b"tEXtSoftware\0rate2spike";

/// Adds [`SOFTWARE`] after the header of a PNG.
fn signed(mut png: Vec<u8>) -> Vec<u8> {
    let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(SOFTWARE);
    // A chunk has a length, which counts neither the name nor the sum, then its name, its
    // data and its check sum.
    let length = (SOFTWARE.len() - 4) as u32;
    let chunk = [&length.to_be_bytes(), SOFTWARE, &sum.to_be_bytes()].concat();
    png.splice(PNG_HEAD..PNG_HEAD, chunk);
    png
}

/// True if this program drew the SVG or PNG in `bytes`.
pub fn is_ours(bytes: &[u8]) -> bool {
    let font = format!("font-family=\"{FONT}, Verdana, sans-serif\"");
    let has = |mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    has(SOFTWARE) || (bytes.starts_with(b"<svg ") && has(font.as_bytes()))
}

/// Checks, before the work, that the figures with these names can be written into
/// `folder`: files of their names are missing, or earlier figures of this program.
///
/// # Errors
/// [`OutputError`].
pub fn check(folder: &Path, names: &[&str]) -> Result<(), OutputError> {
    let mut outputs = Outputs::new();
    for name in names {
        for file in files(folder, name) {
            outputs.derives("another folder", &file, is_ours)?;
        }
    }
    Ok(())
}

/// The files of a figure in `folder`.
fn files(folder: &Path, name: &str) -> [PathBuf; 2] {
    ["svg", "png"].map(|extension| folder.join(name).with_extension(extension))
}

/// Writes `figure` into `folder` as SVG and as PNG; returns both files.
///
/// # Errors
/// [`PictureError`].
pub fn write(folder: &Path, figure: &Figure) -> Result<[PathBuf; 2], PictureError> {
    check(folder, &[figure.name])?;
    let files = files(folder, figure.name);
    disk::write(&files[0], figure.svg.as_bytes())?;
    disk::write(&files[1], &png(&figure.svg)?)?;
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_drawn_without_any_font_of_the_machine() {
        let svg = |text: &str| {
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"20mm\" height=\"5mm\" viewBox=\"0 0 400 100\">\
                 <text x=\"10\" y=\"80\" font-size=\"80\" font-family=\"{FONT}\">{text}</text></svg>"
            )
        };
        let dark = |text: &str| {
            let bytes = png(&svg(text)).expect("a picture");
            let pixels = Pixmap::decode_png(&bytes).expect("a PNG");
            assert_eq!((pixels.width(), pixels.height()), (236, 59));
            pixels
                .pixels()
                .iter()
                .filter(|pixel| pixel.red() < 128)
                .count()
        };
        assert_eq!(dark(" "), 0);
        // Letters that the figures use.
        for letter in ["a", "λ", "τ", "−", "⁻", "±"] {
            assert!(dark(letter) > 20, "{letter}");
        }
    }
}
