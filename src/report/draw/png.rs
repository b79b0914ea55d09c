//! SVG as PNG.

use super::failed;
use crate::error::Result;
use resvg::{tiny_skia, usvg};
use std::sync::{Arc, OnceLock};

/// Points of the image in a pixel of the page.
const SHARPNESS: f32 = 1.1;

/// The drawing as an image, with the fonts that come with the program.
///
/// *Errors*: [`crate::error::Error::Numeric`] for what is not SVG.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    static FONTS: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        for bytes in [dejavu::sans::regular(), dejavu::sans::bold()] {
            fonts.load_font_data(bytes.to_vec());
        }
        fonts.set_sans_serif_family("DejaVu Sans");
        Arc::new(fonts)
    });
    let options = usvg::Options {
        font_family: "DejaVu Sans".to_owned(),
        fontdb: Arc::clone(fonts),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(svg, &options).map_err(failed)?;
    let size = tree.size().to_int_size().scale_by(SHARPNESS).ok_or_else(|| failed("no size"))?;
    let mut image =
        tiny_skia::Pixmap::new(size.width(), size.height()).ok_or_else(|| failed("too large"))?;
    let transform = tiny_skia::Transform::from_scale(SHARPNESS, SHARPNESS);
    resvg::render(&tree, transform, &mut image.as_mut());
    image.encode_png().map_err(failed)
}
