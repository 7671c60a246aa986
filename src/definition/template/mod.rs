//! `<% … %>` in values: variables of the definition and of the environment, functions and filters.
//!
//! Rules: snowflake-cli `utils/definition_rendering.py`. Every scalar of the definition is rendered, keys are not; a
//! value without any variable stays as it is; the precedence of `ctx.env.X` is `--env`, then the operating system's
//! environment, then the `env` section. The values that other values take are rendered first.

mod evaluate;
mod fallback;
mod functions;
mod parse;

pub use evaluate::{Renderer, Variables};

use crate::source::diagnostic::{Rule, Severity};

/// A template that cannot be read.
pub static TEMPLATE_SYNTAX: Rule =
    Rule { code: "template-syntax", severity: Severity::Error, summary: "a template cannot be read" };
/// A variable, function or filter that is not there.
pub static TEMPLATE_UNKNOWN: Rule = Rule {
    code: "template-unknown",
    severity: Severity::Error,
    summary: "a template uses something that does not exist",
};
/// Variables that need each other.
pub static TEMPLATE_CYCLE: Rule =
    Rule { code: "template-cycle", severity: Severity::Error, summary: "template variables need each other" };
/// A call with wrong arguments.
pub static TEMPLATE_ARGUMENT: Rule = Rule {
    code: "template-argument",
    severity: Severity::Error,
    summary: "a template's function or filter cannot take these arguments",
};
/// A template where none is rendered.
pub static TEMPLATE_NOT_ALLOWED: Rule = Rule {
    code: "template-not-allowed",
    severity: Severity::Error,
    summary: "a template stands where templates are not rendered",
};

/// The rules that this room declares.
pub static RULES: &[&Rule] =
    &[&TEMPLATE_SYNTAX, &TEMPLATE_UNKNOWN, &TEMPLATE_CYCLE, &TEMPLATE_ARGUMENT, &TEMPLATE_NOT_ALLOWED];
