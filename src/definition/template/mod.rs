//! `<% … %>` in values: variables of the definition and of the environment, functions and filters.
//!
//! Rules: snowflake-cli `utils/definition_rendering.py`. Every scalar of the definition is rendered, keys are not; a
//! value without any variable stays as it is; the precedence of `ctx.env.X` is `--env`, then the operating system's
//! environment, then the `env` section. The values that other values take are rendered first.

mod evaluate;
mod fallback;
mod functions;
mod parse;

pub use evaluate::{Renderer, Source};
pub use functions::{FILTERS, FUNCTIONS, Filter, Function};
pub use parse::{Named, is_template, named};

use crate::source::diagnostic::{Rule, Severity};
use std::collections::BTreeMap;

/// What `ctx.env` holds besides the definition's own `env` section.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// `--env`, the strongest.
    pub overrides: BTreeMap<String, String>,
    /// The operating system's environment.
    pub system: BTreeMap<String, String>,
}

/// A template that cannot be read.
pub static TEMPLATE_SYNTAX: Rule = Rule {
    code: "template-syntax",
    severity: Severity::Error,
    summary: "a template cannot be read",
    why: "A template holds a variable, a call or a filter. There are no operators, no conditions and no items in brackets.",
    bad: "definition_version: 2\nenv:\n  a: x\n  b: <% ctx.env['a'] %>\n",
    good: "definition_version: 2\nenv:\n  a: x\n  b: <% ctx.env.a %>\n",
};
/// A variable, function or filter that is not there.
pub static TEMPLATE_UNKNOWN: Rule = Rule {
    code: "template-unknown",
    severity: Severity::Error,
    summary: "a template uses something that does not exist",
    why: "A value that does not exist cannot be put in. Variables come from `--env`, the environment and the `env` section.",
    bad: "definition_version: 2\nenv:\n  stage: dev\n  name: repo_<% ctx.env.stge %>\n",
    good: "definition_version: 2\nenv:\n  stage: dev\n  name: repo_<% ctx.env.stage %>\n",
};
/// Variables that need each other.
pub static TEMPLATE_CYCLE: Rule = Rule {
    code: "template-cycle",
    severity: Severity::Error,
    summary: "template variables need each other",
    why: "Variables that need each other have no value.",
    bad: "definition_version: 2\nenv:\n  a: <% ctx.env.b %>\n  b: <% ctx.env.a %>\n",
    good: "definition_version: 2\nenv:\n  a: <% ctx.env.b %>\n  b: x\n",
};
/// A call with wrong arguments.
pub static TEMPLATE_ARGUMENT: Rule = Rule {
    code: "template-argument",
    severity: Severity::Error,
    summary: "a template's function or filter cannot take these arguments",
    why: "Functions take a fixed number of texts.",
    bad: "definition_version: 2\nenv:\n  a: <% fn.str_to_id() %>\n",
    good: "definition_version: 2\nenv:\n  a: <% fn.str_to_id('my repo') %>\n",
};
/// A template where none is rendered.
pub static TEMPLATE_NOT_ALLOWED: Rule = Rule {
    code: "template-not-allowed",
    severity: Severity::Error,
    summary: "a template stands where templates are not rendered",
    why: "The type is read before templates are rendered.",
    bad: "definition_version: 2\nenv:\n  kind: image-repository\nentities:\n  repo:\n    type: <% ctx.env.kind %>\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n",
};

/// The rules that this room declares.
pub static RULES: &[&Rule] =
    &[&TEMPLATE_SYNTAX, &TEMPLATE_UNKNOWN, &TEMPLATE_CYCLE, &TEMPLATE_ARGUMENT, &TEMPLATE_NOT_ALLOWED];
