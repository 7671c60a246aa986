//! Templates to values: looks variables up, renders the values they stand for first, calls functions and filters.

use super::fallback;
use super::functions::FUNCTIONS;
use super::parse::{Expression, Mistake, Piece, What, is_template, parse};
use super::{TEMPLATE_ARGUMENT, TEMPLATE_CYCLE, TEMPLATE_SYNTAX, TEMPLATE_UNKNOWN, Variables};
use crate::kind::overlay::TARGETS;
use crate::source::diagnostic::{Diagnostic, Diagnostics, Rule, did_you_mean};
use crate::source::files::Files;
use crate::source::span::Span;
use crate::source::yaml::{Data, Entry, Node};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// Renders the templates of a definition.
pub struct Renderer<'a> {
    files: &'a Files,
    root: &'a Arc<Node>,
    variables: &'a Variables,
    /// `snowform.yml`, where there is one.
    overlay: Option<&'a Arc<Node>>,
    /// Values of the definition by their path.
    values: RefCell<HashMap<Vec<String>, Value>>,
    /// Where the values stand that could not be rendered.
    failed: RefCell<BTreeSet<Span>>,
    /// What several aliases stand for is rendered once, so that aliases of aliases cannot multiply.
    shared: RefCell<HashMap<(*const Node, Region), Arc<Node>>>,
    filters: minijinja::Environment<'static>,
    found: RefCell<Diagnostics>,
}

/// Where the value of a variable comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `--env`.
    Override,
    /// The operating system's environment.
    System,
    /// The definition; here its value stands.
    Definition(Span),
    /// A target of `snowform.yml`, where none was chosen; here its value stands.
    Target(Span),
    /// The key's default: it is left out.
    Default,
}

/// What is known of a variable's value.
#[derive(Clone)]
enum Value {
    BeingRendered,
    Known(String),
    /// And why has been said.
    Failed,
}

/// Where a value stands, as far as rendering depends on it: some are read before templates are rendered.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Region {
    Root,
    Entities,
    Entity,
    Meta,
    /// `from`, and the items of `children`.
    Target,
    Elsewhere,
}

impl Region {
    /// The region of a key's value; nothing where it is not rendered.
    fn below(self, key: &str) -> Option<Self> {
        match (self, key) {
            (Self::Root, "definition_version")
            | (Self::Entity, "type")
            | (Self::Meta, "use_mixins" | "depends_on")
            | (Self::Target, "target") => None,
            (Self::Root, "entities") => Some(Self::Entities),
            (Self::Entities, _) => Some(Self::Entity),
            (Self::Entity, "meta") => Some(Self::Meta),
            (Self::Entity, "from" | "children") => Some(Self::Target),
            _ => Some(Self::Elsewhere),
        }
    }
}

/// Something is wrong and has been said.
struct Said;

impl<'a> Renderer<'a> {
    /// A renderer whose variables come from this definition.
    pub fn new(files: &'a Files, root: &'a Arc<Node>, variables: &'a Variables) -> Self {
        Self {
            files,
            root,
            variables,
            overlay: None,
            values: RefCell::default(),
            failed: RefCell::default(),
            shared: RefCell::default(),
            filters: minijinja::Environment::new(),
            found: RefCell::default(),
        }
    }

    /// The same, where a variable that has no other value has that of the first target that gives one: a definition is
    /// checked before anybody has chosen a target.
    #[must_use]
    pub fn with_targets(self, overlay: Option<&'a Arc<Node>>) -> Self {
        Self { overlay, ..self }
    }

    /// What was wrong with the templates, and the places of the values that stay unknown for it.
    pub fn finish(self) -> (Diagnostics, BTreeSet<Span>) {
        (self.found.into_inner(), self.failed.into_inner())
    }

    /// The value of a variable that is named at `span`, and where it comes from; nothing where it has none.
    pub fn explain(&self, path: &[String], span: Span) -> Option<(String, Source)> {
        let value = self.variable(path, span).ok()?;
        let source = match (self.given(path), self.look_up(path)) {
            (Some((_, source)), _) => source,
            (None, Ok(node)) => Source::Definition(node.span),
            (None, Err(_)) => match self.of_a_target(path) {
                Some((_, span)) => Source::Target(span),
                None => Source::Default,
            },
        };
        Some((value, source))
    }

    /// A text with its templates rendered; nothing where that fails.
    pub fn text(&self, text: &str, span: Span) -> Option<String> {
        self.scalar(text, span).ok()
    }

    /// What `ctx.env.X` is outside of the definition.
    fn given(&self, path: &[String]) -> Option<(&String, Source)> {
        let [ctx, env, variable] = path else { return None };
        if (ctx.as_str(), env.as_str()) != ("ctx", "env") {
            return None;
        }
        let Variables { overrides, system } = self.variables;
        let overridden = overrides.get(variable).map(|value| (value, Source::Override));
        overridden.or_else(|| system.get(variable).map(|value| (value, Source::System)))
    }

    /// What the first target says of `ctx.env.X` that says anything.
    fn of_a_target(&self, path: &[String]) -> Option<(String, Span)> {
        let [ctx, env, variable] = path else { return None };
        if (ctx.as_str(), env.as_str()) != ("ctx", "env") {
            return None;
        }
        let targets = self.overlay?.entry(TARGETS)?.value.as_mapping()?.iter();
        let mut given = targets.filter_map(|target| target.value.entry("env")?.value.entry(variable));
        given.find_map(|entry| Some((entry.value.as_str()?.to_owned(), entry.value.span)))
    }

    /// A document with its scalars rendered; what has no template is shared.
    pub fn render(&self, document: &Arc<Node>) -> Arc<Node> {
        self.value(document, Region::Root)
    }

    fn value(&self, node: &Arc<Node>, region: Region) -> Arc<Node> {
        let is_shared = node.as_str().is_none() && Arc::strong_count(node) > 1;
        if !is_shared {
            return self.value_anew(node, region);
        }
        let key = (Arc::as_ptr(node), region);
        let known = self.shared.borrow().get(&key).cloned();
        known.unwrap_or_else(|| {
            let rendered = self.value_anew(node, region);
            self.shared.borrow_mut().insert(key, Arc::clone(&rendered));
            rendered
        })
    }

    fn value_anew(&self, node: &Arc<Node>, region: Region) -> Arc<Node> {
        let data = match &node.data {
            Data::Scalar(text) if is_template(text) => match self.scalar(text, node.span) {
                Ok(rendered) if rendered != *text => Data::Scalar(rendered),
                Ok(_) => return Arc::clone(node),
                Err(Said) => {
                    self.failed.borrow_mut().insert(node.span);
                    return Arc::clone(node);
                }
            },
            Data::Scalar(_) => return Arc::clone(node),
            Data::Sequence(items) => {
                let rendered: Vec<_> = items.iter().map(|item| self.value(item, region)).collect();
                if rendered.iter().zip(items).all(|(new, old)| Arc::ptr_eq(new, old)) {
                    return Arc::clone(node);
                }
                Data::Sequence(rendered)
            }
            Data::Mapping(entries) => {
                let rendered: Vec<_> = entries.iter().map(|entry| self.entry(entry, region)).collect();
                if rendered.iter().zip(entries).all(|(new, old)| Arc::ptr_eq(&new.value, &old.value)) {
                    return Arc::clone(node);
                }
                Data::Mapping(rendered)
            }
        };
        Arc::new(Node { span: node.span, tag: node.tag.clone(), data, rendered: true })
    }

    fn entry(&self, entry: &Entry, region: Region) -> Entry {
        match region.below(&entry.key.value) {
            Some(below) => Entry { key: entry.key.clone(), value: self.value(&entry.value, below) },
            None => entry.clone(),
        }
    }

    fn scalar(&self, text: &str, span: Span) -> Result<String, Said> {
        let place = Place { files: self.files, text, span };
        let pieces = parse(text).map_err(|Mistake { message, range }| {
            let way_out = "a template is `<% ctx.env.NAME %>`, `<% fn.name(…) %>` or a filter on one of them";
            self.say(&TEMPLATE_SYNTAX, message, place.at(&range), "not readable", way_out.to_owned())
        })?;
        // The official loader leaves a value alone that names no variable.
        if !pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Expression(expression) if names_variable(expression)))
        {
            return Ok(text.to_owned());
        }
        let mut rendered = String::new();
        for piece in &pieces {
            match piece {
                Piece::Text(text) => rendered.push_str(text),
                Piece::Expression(expression) => rendered.push_str(&self.evaluate(expression, &place)?),
            }
        }
        Ok(rendered)
    }

    fn evaluate(&self, expression: &Expression, place: &Place<'_>) -> Result<String, Said> {
        match &expression.what {
            What::Text(text) => Ok(text.clone()),
            What::Number(number) => Ok(number.clone()),
            What::Constant(constant) => Ok((*constant).to_owned()),
            What::Variable(path) => self.variable(path, place.at(&expression.range)),
            What::Call(path, arguments) => self.call(path, arguments, expression, place),
            What::Filter(value, name, arguments) => self.filter(value, name, arguments, expression, place),
        }
    }

    fn variable(&self, path: &[String], span: Span) -> Result<String, Said> {
        let name = path.join(".");
        if let Some((value, _)) = self.given(path) {
            return Ok(value.clone());
        }
        let known = self.values.borrow().get(path).cloned();
        match known {
            Some(Value::Known(value)) => return Ok(value),
            Some(Value::Failed) => return Err(Said),
            Some(Value::BeingRendered) => {
                let way_out = "give one of the variables a value of its own".to_owned();
                return Err(self.say(
                    &TEMPLATE_CYCLE,
                    format!("`{name}` needs itself"),
                    span,
                    "closes the circle",
                    way_out,
                ));
            }
            None => {}
        }
        let node = match self.look_up(path) {
            Ok(node) => node,
            Err(known) => {
                let of_a_target = self.of_a_target(path).map(|(value, _)| value);
                let fallback = || fallback::of(self.root, path).map(ToOwned::to_owned);
                return of_a_target
                    .or_else(fallback)
                    .ok_or_else(|| self.unknown_variable(&name, path, span, &known));
            }
        };
        let Some(text) = node.as_str() else {
            let message = format!("`{name}` is {}, not a text", node.noun());
            let way_out = "name a value inside it".to_owned();
            return Err(self.say(&TEMPLATE_UNKNOWN, message, span, "no single value", way_out));
        };
        if !is_template(text) {
            return Ok(text.to_owned());
        }
        self.values.borrow_mut().insert(path.to_vec(), Value::BeingRendered);
        let value = self.scalar(text, node.span);
        let known = value.as_ref().map_or(Value::Failed, |value| Value::Known(value.clone()));
        self.values.borrow_mut().insert(path.to_vec(), known);
        value
    }

    /// The value that a path names; else the names there are at the first step that leads nowhere.
    fn look_up(&self, path: &[String]) -> Result<Arc<Node>, Vec<String>> {
        let mut steps = path.iter();
        if steps.next().is_none_or(|first| first != "ctx") {
            return Err(vec!["ctx".to_owned(), "fn".to_owned()]);
        }
        let mut node = Arc::clone(self.root);
        for step in steps {
            let keys = || {
                node.as_mapping()
                    .unwrap_or_default()
                    .iter()
                    .map(|entry| entry.key.value.clone())
                    .collect::<Vec<_>>()
            };
            let next = node.entry(step).map(|entry| Arc::clone(&entry.value)).ok_or_else(keys)?;
            node = next;
        }
        Ok(node)
    }

    fn unknown_variable(&self, name: &str, path: &[String], span: Span, known: &[String]) -> Said {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let near = path.iter().find_map(|step| did_you_mean(step, &known).filter(|near| near != step));
        let way_out = match (path.get(1).map(String::as_str), near) {
            (_, Some(near)) => format!("did you mean `{near}`?"),
            (Some("env"), None) => {
                let variable = path.last().map_or("NAME", String::as_str);
                format!("define it under `env`, set the environment variable, or pass --env {variable}=VALUE")
            }
            _ if path.first().is_some_and(|first| first == "env") => format!("write `ctx.{name}`"),
            _ => "variables are `ctx.env.NAME` and the definition's own values, such as `ctx.entities.ID.identifier`"
                .to_owned(),
        };
        self.say(&TEMPLATE_UNKNOWN, format!("there is no variable `{name}`"), span, "not known", way_out)
    }

    fn call(
        &self,
        path: &[String],
        arguments: &[Expression],
        expression: &Expression,
        place: &Place<'_>,
    ) -> Result<String, Said> {
        let (name, span) = (path.join("."), place.at(&expression.range));
        let function = match path {
            [namespace, function] if namespace == "fn" => {
                FUNCTIONS.iter().find(|known| known.name == function)
            }
            _ => None,
        };
        let Some(function) = function else {
            let known: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
            let way_out = match did_you_mean(path.last().map_or("", String::as_str), &known) {
                Some(near) => format!("did you mean `fn.{near}`?"),
                None => format!("known: {}", known.join(", ")),
            };
            return Err(self.say(
                &TEMPLATE_UNKNOWN,
                format!("there is no function `{name}`"),
                span,
                "not known",
                way_out,
            ));
        };
        let values =
            arguments.iter().map(|argument| self.evaluate(argument, place)).collect::<Result<Vec<_>, _>>()?;
        let texts =
            arguments.iter().all(|argument| !matches!(argument.what, What::Number(_) | What::Constant(_)));
        let takes = values.len() >= function.least && function.most.is_none_or(|most| values.len() <= most);
        if !texts || !takes {
            let most = function.most.map_or_else(|| "or more".to_owned(), |most| format!("to {most}"));
            let message = format!("`{name}` takes {} {most} texts", function.least);
            let way_out = "quote the arguments, and give as many as it takes".to_owned();
            return Err(self.say(&TEMPLATE_ARGUMENT, message, span, "does not fit", way_out));
        }
        Ok((function.call)(&values, self.variables))
    }

    fn filter(
        &self,
        value: &Expression,
        name: &str,
        arguments: &[Expression],
        expression: &Expression,
        place: &Place<'_>,
    ) -> Result<String, Said> {
        let mut values = vec![self.argument(value, place)?];
        for argument in arguments {
            values.push(self.argument(argument, place)?);
        }
        let result = self.filters.empty_state().apply_filter(name, &values);
        result.map(|value| value.to_string()).map_err(|error| {
            let span = place.at(&expression.range);
            if matches!(name, "read_file_content" | "procedure_from_js_file") {
                let way_out = "write the content out: snowform reads no files for templates".to_owned();
                return self.say(
                    &super::super::NOT_SUPPORTED,
                    format!("the filter `{name}` is not supported"),
                    span,
                    "reads a file",
                    way_out,
                );
            }
            if error.kind() == minijinja::ErrorKind::UnknownFilter {
                let way_out =
                    "use one of Jinja's filters, such as `upper`, `lower`, `replace` or `default`".to_owned();
                return self.say(
                    &TEMPLATE_UNKNOWN,
                    format!("there is no filter `{name}`"),
                    span,
                    "not known",
                    way_out,
                );
            }
            let way_out = "see the filter in Jinja's documentation".to_owned();
            self.say(
                &TEMPLATE_ARGUMENT,
                format!("the filter `{name}` fails: {error}"),
                span,
                "does not fit",
                way_out,
            )
        })
    }

    /// Arguments of filters keep their types.
    fn argument(&self, expression: &Expression, place: &Place<'_>) -> Result<minijinja::Value, Said> {
        Ok(match &expression.what {
            What::Number(number) => match number.parse::<i64>() {
                Ok(whole) => whole.into(),
                Err(_) => number.parse::<f64>().unwrap_or_default().into(),
            },
            What::Constant("True") => true.into(),
            What::Constant("False") => false.into(),
            What::Constant(_) => ().into(),
            _ => self.evaluate(expression, place)?.into(),
        })
    }

    fn say(&self, rule: &'static Rule, message: String, span: Span, label: &str, way_out: String) -> Said {
        self.found.borrow_mut().push(Diagnostic::new(rule, message, span, label).help(way_out));
        Said
    }
}

/// A value's text, and where it stands in its file.
struct Place<'a> {
    files: &'a Files,
    text: &'a str,
    span: Span,
}

impl Place<'_> {
    /// A stretch of the text as a place in the file. Where quoting or folding moved the text, the whole value.
    fn at(&self, range: &Range<usize>) -> Span {
        match self.files.slice(self.span).find(self.text) {
            Some(shift) => {
                let start = self.span.start as usize + shift;
                Span::new(self.span.file, start + range.start, start + range.end)
            }
            None => self.span,
        }
    }
}

fn names_variable(expression: &Expression) -> bool {
    match &expression.what {
        What::Variable(_) | What::Call(..) => true,
        What::Text(_) | What::Number(_) | What::Constant(_) => false,
        What::Filter(value, _, arguments) => names_variable(value) || arguments.iter().any(names_variable),
    }
}
