//! `USE`, and `SELECT` of what a session knows about itself.

use super::super::catalog::principal;
use super::super::catalog::repository;
use super::super::sql::ast::{Expression, SelectItem, Use};
use super::super::sql::failure::SqlFailure;
use super::table::{status, table, timestamp};
use super::{Ran, Run};
use crate::object::name::{Ident, PartialName};
use crate::session::Rows;

/// A value with its type on the wire.
struct Value {
    kind: &'static str,
    content: Option<String>,
}

impl Value {
    fn text(content: impl Into<String>) -> Self {
        Self { kind: "text", content: Some(content.into()) }
    }

    fn name(ident: Option<&Ident>) -> Self {
        Self { kind: "text", content: ident.map(|ident| ident.as_str().to_owned()) }
    }

    /// The wire's booleans are `1` and `0`; official drivers take nothing else for true.
    fn boolean(value: bool) -> Self {
        Self { kind: "boolean", content: Some(if value { "1" } else { "0" }.to_owned()) }
    }
}

impl Run<'_> {
    pub(super) fn use_object(&mut self, used: &Use) -> Ran<Rows> {
        match used {
            Use::Role(name) => {
                let role = principal::find_role(self.connection, name)?;
                let role = role.ok_or_else(SqlFailure::cannot_be_performed)?.id;
                let user = self.user(&self.context.user)?.id;
                let restricted = self.context.only_role.as_ref().is_some_and(|only| only != name);
                if restricted || !principal::roles_held_by_user(self.connection, user)?.contains(&role) {
                    return Err(SqlFailure::role_not_assigned(name.as_str()));
                }
                self.context.role = name.clone();
            }
            Use::SecondaryRoles => {}
            // There is nothing to compute here, so there are no warehouses; any name may be used.
            Use::Warehouse(name) => self.context.warehouse = Some(name.clone()),
            Use::Database(name) => {
                let database = self.seen_database(name)?.ok_or_else(SqlFailure::cannot_be_performed)?;
                let public = Ident::exact("PUBLIC");
                let has_public = self.seen_schema(&database, &public)?.is_some();
                self.context.database = Some(name.clone());
                self.context.schema = has_public.then_some(public);
            }
            Use::Schema(name) => {
                let name = self.complete_schema(name, "USE SCHEMA")?;
                let database = self.seen_database(&name.database)?;
                let database = database.ok_or_else(SqlFailure::cannot_be_performed)?;
                self.seen_schema(&database, &name.schema)?.ok_or_else(SqlFailure::cannot_be_performed)?;
                self.context.database = Some(name.database);
                self.context.schema = Some(name.schema);
            }
        }
        Ok(status("Statement executed successfully."))
    }

    pub(super) fn select(&self, items: &[SelectItem]) -> Ran<Rows> {
        let values = items.iter().map(|item| self.evaluate(&item.expression)).collect::<Ran<Vec<_>>>()?;
        let columns: Vec<_> =
            items.iter().zip(&values).map(|(item, value)| (item.name.as_str(), value.kind)).collect();
        Ok(table(&columns, vec![values.iter().map(|value| value.content.clone()).collect()]))
    }

    fn evaluate(&self, expression: &Expression) -> Ran<Value> {
        Ok(match expression {
            Expression::Text(content) => Value::text(content),
            Expression::Number(digits) => {
                let kind = if digits.contains('.') { "real" } else { "fixed" };
                Value { kind, content: Some(digits.clone()) }
            }
            Expression::Boolean(value) => Value::boolean(*value),
            Expression::Null => Value { kind: "text", content: None },
            Expression::IsNull { operand, negated } => {
                Value::boolean(self.evaluate(operand)?.content.is_none() != *negated)
            }
            Expression::Call { name, arguments } => self.call(name, arguments)?,
        })
    }

    fn call(&self, name: &str, arguments: &[Expression]) -> Ran<Value> {
        if name == "SYSTEM$GET_TAG" {
            return self.get_tag(arguments);
        }
        if !arguments.is_empty() {
            return Err(SqlFailure::unknown_function(name));
        }
        Ok(match name {
            "CURRENT_ROLE" => Value::name(Some(&self.context.role)),
            "CURRENT_USER" => Value::name(Some(&self.context.user)),
            "CURRENT_DATABASE" => Value::name(self.context.database.as_ref()),
            "CURRENT_SCHEMA" => Value::name(self.context.schema.as_ref()),
            "CURRENT_WAREHOUSE" => Value::name(self.context.warehouse.as_ref()),
            "CURRENT_ACCOUNT" | "CURRENT_ACCOUNT_NAME" => Value::text(super::super::ACCOUNT_NAME),
            "CURRENT_ORGANIZATION_NAME" | "SYSTEM$RETURN_CURRENT_ORG_NAME" => {
                Value::text(super::super::ORGANIZATION_NAME)
            }
            "CURRENT_REGION" => Value::text("LOCAL"),
            "CURRENT_VERSION" => Value::text(super::super::SERVER_VERSION),
            "CURRENT_ROLE_TYPE" => Value::text("ROLE"),
            "CURRENT_TIMESTAMP" => Value { kind: "timestamp_ltz", content: timestamp(self.now) },
            "CURRENT_SECONDARY_ROLES" => Value::text(r#"{"roles":"","value":""}"#),
            "CURRENT_AVAILABLE_ROLES" => Value::text(self.available_roles()?),
            // No web interface belongs to this account; `snow` then shows addresses without a link.
            "SYSTEM$GET_SNOWSIGHT_HOST" => Value::text(""),
            other => return Err(SqlFailure::unknown_function(other)),
        })
    }

    /// The roles that the user may take, as a JSON list.
    fn available_roles(&self) -> Ran<String> {
        let user = self.user(&self.context.user)?.id;
        let ids = principal::roles_held_by_user(self.connection, user)?;
        let names = ids.into_iter().map(|id| principal::role_name(self.connection, id));
        let mut names = names.collect::<rusqlite::Result<Vec<_>>>()?;
        names.sort();
        Ok(serde_json::Value::from(names).to_string())
    }

    /// `SYSTEM$GET_TAG('tag', 'object', 'image repository')`: the value, or null where the tag is not set.
    fn get_tag(&self, arguments: &[Expression]) -> Ran<Value> {
        let [Expression::Text(tag), Expression::Text(object), Expression::Text(domain)] = arguments else {
            return Err(SqlFailure::unknown_function("SYSTEM$GET_TAG"));
        };
        if !["image repository", "image_repository"].contains(&domain.to_lowercase().as_str()) {
            return Err(SqlFailure::invalid_value(domain, "SYSTEM$GET_TAG"));
        }
        let parse = |written: &str| {
            PartialName::parse(written).map_err(|_| SqlFailure::invalid_value(written, "SYSTEM$GET_TAG"))
        };
        let tag = self.tag_name(&parse(tag)?)?;
        let repository = self.repository(&self.complete(&parse(object)?, "SYSTEM$GET_TAG")?)?;
        let content = repository::tag_value(self.connection, repository.id, &tag)?;
        Ok(Value { kind: "text", content })
    }
}
