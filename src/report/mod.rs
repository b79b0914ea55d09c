//! Records → pages, tables, figures. Nothing is computed here: whatever is drawn can be drawn again from its record.

mod csv;
pub mod draw;
mod formula;
pub mod gallery;
mod html;
mod markdown;
pub mod model;
pub mod run;
pub mod text;
