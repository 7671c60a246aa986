//! What must hold between the keys of an entity, where the shapes of single values cannot say it.

/// A value as a check sees it: without its place. Scalars are texts.
pub trait Value {
    /// The text of a scalar.
    fn text(&self) -> Option<&str>;
    /// The value of a key.
    fn get(&self, key: &str) -> Option<&dyn Value>;
    /// The items of a list.
    fn items(&self) -> Vec<&dyn Value>;
    /// Whether it is what the official loader takes for nothing: the empty text, list or mapping.
    fn is_empty(&self) -> bool;
}

/// A condition on a mapping, asked when every text of it is known.
pub type Check = fn(&dyn Value) -> Option<Finding>;

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it weighs.
    pub weight: Weight,
    /// The way to the value, from the mapping that was checked. A step that leads nowhere stands for the last that
    /// leads somewhere.
    pub path: Vec<Step>,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The official loader refuses it.
    Refused,
    /// The official loader refuses it unless a feature flag is set, which stands outside of the project.
    NeedsFeatureFlag,
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the value of a key.
    Key(&'static str),
    /// To an item of a list, counted from 0.
    Item(usize),
}

impl Finding {
    /// A finding at the value of a key.
    pub fn at(key: &'static str, message: impl Into<String>, help: &'static str) -> Self {
        Self { weight: Weight::Refused, path: vec![Step::Key(key)], message: message.into(), help }
    }
}

/// Whether a mapping has a key whose value is not empty.
pub fn has(mapping: &dyn Value, key: &str) -> bool {
    mapping.get(key).is_some_and(|value| !value.is_empty())
}
