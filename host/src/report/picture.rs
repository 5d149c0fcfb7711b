//! A figure as a PNG: the SVG, drawn by resvg with the program's own font.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};

use super::canvas::FONT;

/// Resolution of the PNGs: what journals ask of pictures with lines.
const DOTS_AN_INCH: f32 = 300.0;

static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    Arc::new(fonts)
});

/// An SVG that is not one, or that is too large.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// It does not parse.
    #[error("the figure is no SVG: {0}")]
    Svg(#[from] resvg::usvg::Error),
    /// It has no area, or more than memory.
    #[error("a figure of {0} x {1} dots cannot be drawn")]
    Size(u32, u32),
    /// It does not encode.
    #[error("the figure cannot be written as PNG: {0}")]
    Encoding(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The PNG of an SVG, on white.
///
/// # Errors
/// If it is no SVG.
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
    pixels
        .encode_png()
        .map_err(|error| PictureError::Encoding(Box::new(error)))
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
        // Letters of the figures, each with strokes of its own.
        for letter in ["a", "λ", "τ", "−", "⁻", "±"] {
            assert!(dark(letter) > 20, "{letter}");
        }
    }
}
