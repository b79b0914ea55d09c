use super::Lower;

pub(super) fn operator(_name: &str) -> Option<Lower> {
    None
}
