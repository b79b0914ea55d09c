//! Records → pages, tables, figures. Nothing is computed here.
