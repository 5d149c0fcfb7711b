//! The look that all figures share: the width of a column in a paper, axes without a
//! box, colours that colour-blind readers can tell apart, and one font, which is part of
//! the program.
//!
//! `axis` places numbers, `chart` draws a panel, [`legend`] its title and
//! names, and [`figure`] makes an SVG of the panels.

mod area;
mod axis;
mod chart;
mod legend;

pub use area::{Area, COLUMN_MM, FONT, colour, columns, figure, rows};
pub use axis::{Axis, number};
pub use chart::{Chart, Panel};
pub use legend::{Line, Sign, legend};
