//! HTML as a reader sees it, and what its making tells about its maker.

mod colour;
mod entities;
mod renderer;
mod style;
mod target;
mod tokens;

pub(crate) use renderer::{Html, Link, Rendering, as_number, render};
