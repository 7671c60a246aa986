//! From the statements of a request to the answer on the wire.

use super::super::account::{Account, Context};
use super::super::sql::failure::SqlFailure;
use super::answer::Reply;
use super::executions::Outcome;
use super::login::{session_info, session_parameters_of};
use super::results;
use super::{Shared, lock};
use crate::session::{Column, Rows};
use crate::wire::{QueryAnswer, QueryRequest, RowType, SessionInfo};
use serde_json::Value;
use std::collections::HashMap;

/// The longest text, in characters, that a column says it may hold (docs.snowflake.com
/// `sql-reference/data-types-text`).
const MAX_TEXT: i64 = 16_777_216;

/// The parameter that lets a request hold several statements.
const COUNT_PARAMETER: &str = "MULTI_STATEMENT_COUNT";

/// What a request asks for.
pub(super) enum Batch {
    /// One statement.
    One { sql: String, describe_only: bool },
    /// As many statements as there are ids.
    Several { statements: Vec<(String, String)> },
    /// Something that is refused before anything runs.
    Refused(SqlFailure),
}

impl Batch {
    /// Reads a request.
    pub(super) fn of(request: QueryRequest) -> Self {
        let QueryRequest { sql_text, describe_only, parameters, .. } = request;
        let desired = parameters.get(COUNT_PARAMETER).map_or(Some(1), count);
        if desired == Some(1) {
            return Self::One { sql: sql_text, describe_only: describe_only.unwrap_or(false) };
        }
        let statements = match Account::split_script(&sql_text) {
            Ok(statements) => statements,
            Err(failure) => return Self::Refused(failure),
        };
        match desired {
            Some(0) | None if statements.is_empty() => Self::Refused(SqlFailure::empty_statement()),
            Some(desired) if desired != 0 && desired != statements.len() => {
                Self::Refused(SqlFailure::statement_count(statements.len(), desired))
            }
            Some(_) | None => Self::Several {
                statements: statements.into_iter().map(|sql| (new_id(), sql.to_owned())).collect(),
            },
        }
    }

    /// The ids of the statements, where there are several.
    pub(super) fn child_ids(&self) -> Vec<String> {
        match self {
            Self::Several { statements } => statements.iter().map(|(id, _)| id.clone()).collect(),
            Self::One { .. } | Self::Refused(_) => Vec::new(),
        }
    }

    /// Carries it out.
    pub(super) fn run(self, shared: &Shared, context: &mut Context, query_id: &str) -> Outcome {
        match self {
            Self::One { sql, describe_only } => {
                let ran = if describe_only {
                    shared.account.describe(context, &sql)
                } else {
                    shared.account.execute(context, &sql)
                };
                let ran = ran.map(|rows| answer(shared, context, rows, statement_type(&sql), query_id));
                outcome(ran, HashMap::new(), query_id)
            }
            Self::Several { statements } => run_several(shared, context, &statements, query_id),
            Self::Refused(failure) => outcome(Err(failure), HashMap::new(), query_id),
        }
    }
}

/// The number that a parameter holds, as a number or a text; nothing where it is neither.
fn count(value: &Value) -> Option<usize> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    usize::try_from(number).ok()
}

fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Runs statements in turn. The first that fails ends it; those before it stay done.
fn run_several(
    shared: &Shared,
    context: &mut Context,
    statements: &[(String, String)],
    query_id: &str,
) -> Outcome {
    let mut children = HashMap::new();
    let mut types = Vec::new();
    for (id, sql) in statements {
        match shared.account.execute(context, sql) {
            Ok(rows) => {
                let kind = statement_type(sql);
                types.push(kind.to_string());
                let reply = Reply::success(answer(shared, context, rows, kind, id));
                children.insert(id.clone(), reply);
            }
            Err(failure) => {
                children.insert(id.clone(), failed(&failure, id));
                return outcome(Err(failure), children, query_id);
            }
        }
    }
    let column = Column { name: "multiple statement execution".to_owned(), kind: "text".to_owned() };
    let row = vec![Some("Multiple statements executed successfully.".to_owned())];
    let rows = Rows { columns: vec![column], rows: vec![row], query_id: None };
    let ids: Vec<_> = statements.iter().map(|(id, _)| id.as_str()).collect();
    let parent = QueryAnswer {
        result_ids: Some(ids.join(",")),
        result_types: Some(types.join(",")),
        ..answer(shared, context, rows, SEVERAL, query_id)
    };
    outcome(Ok(parent), children, query_id)
}

fn outcome(
    ran: Result<QueryAnswer, SqlFailure>,
    children: HashMap<String, Reply>,
    query_id: &str,
) -> Outcome {
    match ran {
        Ok(answer) => Outcome { reply: Reply::success(answer), children, failure: None },
        Err(failure) => Outcome {
            reply: failed(&failure, query_id),
            children,
            failure: Some((format!("{:06}", failure.code), failure.message)),
        },
    }
}

/// The answer of a statement that was refused.
fn failed(failure: &SqlFailure, query_id: &str) -> Reply {
    let SqlFailure { code, sql_state, message } = failure;
    let code = format!("{code:06}");
    let data = QueryAnswer {
        sql_state: Some((*sql_state).to_owned()),
        error_code: Some(code.clone()),
        query_id: Some(query_id.to_owned()),
        ..QueryAnswer::default()
    };
    Reply::failure_with(&code, message, Some(data))
}

/// The answer of a statement that was carried out; rows beyond the inline ones are kept as chunks.
fn answer(
    shared: &Shared,
    context: &Context,
    rows: Rows,
    statement_type: i64,
    query_id: &str,
) -> QueryAnswer {
    let Rows { columns, rows: mut inline, query_id: _ } = rows;
    let total = i64::try_from(inline.len()).ok();
    let beyond = inline.split_off(inline.len().min(shared.config.inline_rows));
    let base = format!("http://{}", shared.address);
    let packed = results::pack(&beyond);
    let chunks: Vec<_> = packed.iter().map(|chunk| chunk.describe(&base)).collect();
    let mut kept = lock(&shared.chunks);
    packed.into_iter().for_each(|chunk| kept.keep(chunk));
    drop(kept);
    let SessionInfo { database_name, schema_name, warehouse_name, role_name } = session_info(context);
    let large = !chunks.is_empty();
    QueryAnswer {
        parameters: Some(session_parameters_of(context)),
        rowtype: Some(columns.into_iter().map(row_type).collect()),
        rowset: Some(inline),
        total,
        returned: total,
        query_id: Some(query_id.to_owned()),
        final_database_name: database_name,
        final_schema_name: schema_name,
        final_warehouse_name: warehouse_name,
        final_role_name: role_name,
        statement_type_id: Some(statement_type),
        query_result_format: Some("json".to_owned()),
        chunk_headers: large.then(Default::default),
        chunks: large.then_some(chunks),
        ..QueryAnswer::default()
    }
}

fn row_type(column: Column) -> RowType {
    let Column { name, kind } = column;
    let mut row_type = RowType { name, nullable: true, ..RowType::default() };
    match kind.as_str() {
        "text" => (row_type.length, row_type.byte_length) = (Some(MAX_TEXT), Some(4 * MAX_TEXT)),
        "fixed" => (row_type.precision, row_type.scale) = (Some(38), Some(0)),
        "timestamp_ltz" => (row_type.precision, row_type.scale) = (Some(0), Some(3)),
        _ => {}
    }
    RowType { kind, ..row_type }
}

/// `SELECT`, as drivers number statements (snowflake-connector-python `cursor.py`). None of these numbers is
/// in the range of statements that change rows, which drivers treat differently.
const SELECT: i64 = 0x1000;
const SHOW: i64 = 0x4000;
const OTHER: i64 = 0x6000;
const SEVERAL: i64 = 0xA000;

/// The kind of a statement, by its first word.
fn statement_type(sql: &str) -> i64 {
    let word = sql.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    match word.to_ascii_uppercase().as_str() {
        "SELECT" => SELECT,
        "SHOW" => SHOW,
        _ => OTHER,
    }
}
