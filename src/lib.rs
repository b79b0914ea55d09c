//! Checks the theory of when and how inexact generative models still sample from the data manifold.
#![warn(missing_docs)]

pub mod campaign;
pub mod claims;
pub mod cli;
pub mod drift;
pub mod error;
pub mod experiments;
pub mod facts;
pub mod figure;
pub mod flow;
pub mod formula;
pub mod linalg;
pub mod lyapunov;
pub mod manifold;
pub mod network;
pub mod observe;
pub mod points;
pub mod random;
pub mod record;
pub mod report;
pub mod response;
pub mod scalar;
pub mod scenario;
pub mod scenario_file;
pub mod search;
pub mod special;
pub mod verdict;
