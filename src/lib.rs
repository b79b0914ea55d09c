//! Checks the theory of when and how inexact generative models still sample from the data manifold.
#![warn(missing_docs)]

pub mod claims;
pub mod drift;
pub mod error;
pub mod facts;
pub mod linalg;
pub mod manifold;
pub mod random;
pub mod scalar;
pub mod verdict;
