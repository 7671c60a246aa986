//! The embedded account behind the session port: in process, without a network, without a login.

use super::account::{Account, Context, RoleCheck};
use super::error::LocalError;
use super::sql::failure::SqlFailure;
use super::{ACCOUNT_NAME, USER_NAME};
use crate::object::name::Ident;
use crate::object::statement::{Operation, Sql};
use crate::session::{Answer, Identity, Performed, Rows, Session, SessionError};
use crate::wire::code;
use std::future::Future;
use std::pin::Pin;

/// What a session with the embedded account starts with, where it is not the account's default.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The role; SYSADMIN where nothing is said.
    pub role: Option<Ident>,
    /// The database; LOCAL where nothing is said.
    pub database: Option<Ident>,
    /// The schema; PUBLIC where nothing is said.
    pub schema: Option<Ident>,
}

/// A session of the user LOCAL with an embedded account.
pub struct LocalSession {
    account: Account,
    context: Context,
    identity: Identity,
}

impl LocalSession {
    /// Starts a session. Database and schema need not exist; a role that is not the user's is refused.
    pub fn new(account: Account, options: Options) -> Result<Self, SessionError> {
        let Options { role, database, schema } = options;
        let mut context = Context::local();
        if let Some(role) = role {
            context = under_role(&account, &context, &role)?;
        }
        context.database = database.or(context.database);
        context.schema = schema.or(context.schema);
        let identity = Identity {
            account: ACCOUNT_NAME.to_owned(),
            host: "embedded".to_owned(),
            user: USER_NAME.to_owned(),
            role: Some(context.role.clone()),
            database: context.database.clone(),
            schema: context.schema.clone(),
        };
        Ok(Self { account, context, identity })
    }

    /// Runs one statement off the executor's threads: it waits for a file and for other processes.
    async fn run(&self, sql: String, role: Option<&Ident>) -> Result<Rows, SessionError> {
        let mut context = match role {
            Some(role) if *role != self.context.role => under_role(&self.account, &self.context, role)?,
            _ => self.context.clone(),
        };
        let account = self.account.clone();
        let query_id = uuid::Uuid::new_v4().to_string();
        let work = tokio::task::spawn_blocking(move || account.execute(&mut context, &sql));
        let outcome = work.await.map_err(|error| SessionError::Protocol {
            message: format!("the embedded account stopped in the middle of a statement: {error}"),
            help: "this is a mistake in snowform; please report it".to_owned(),
        })?;
        match outcome {
            Ok(rows) => Ok(Rows { query_id: Some(query_id), ..rows }),
            Err(SqlFailure { code, sql_state, message }) => Err(SessionError::Sql {
                code,
                sql_state: Some(sql_state.to_owned()),
                message,
                query_id: Some(query_id),
                after_retry: false,
            }),
        }
    }
}

/// The session under another role, if the user has it.
fn under_role(account: &Account, context: &Context, role: &Ident) -> Result<Context, SessionError> {
    match account.check_role(&context.user, role).map_err(unusable)? {
        RoleCheck::Granted => Ok(Context { role: role.clone(), ..context.clone() }),
        RoleCheck::NotGranted => Err(SessionError::Authentication {
            code: code::ROLE_NOT_GRANTED.parse().ok(),
            message: format!(
                "Role '{role}' does not exist in the local account, or is not granted to its user."
            ),
            help: format!(
                "create it and grant it under the role ACCOUNTADMIN: CREATE ROLE {role}; GRANT ROLE {role} TO \
                 USER {USER_NAME}"
            ),
        }),
    }
}

fn unusable(error: LocalError) -> SessionError {
    SessionError::Unreachable { message: error.to_string(), help: error.help().to_owned() }
}

impl Session for LocalSession {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn query<'a>(&'a self, sql: &'a Sql, role: Option<&'a Ident>) -> Answer<'a, Rows> {
        Box::pin(self.run(sql.as_str().to_owned(), role))
    }

    fn perform<'a>(&'a self, operation: &'a Operation, role: Option<&'a Ident>) -> Answer<'a, Performed> {
        Box::pin(async move {
            let Operation::Sql(sql) = operation;
            let rows = self.run(sql.as_str().to_owned(), role).await?;
            Ok(Performed { query_id: rows.query_id })
        })
    }

    fn close<'a>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::name::ObjectName;

    fn repository() -> ObjectName {
        ObjectName::new(Ident::exact("LOCAL"), Ident::exact("PUBLIC"), Ident::exact("R"))
    }

    fn create() -> Operation {
        Operation::Sql(Sql::new("CREATE IMAGE REPOSITORY").name(&repository()))
    }

    #[tokio::test]
    async fn what_one_session_creates_another_sees() {
        let account = Account::in_memory().unwrap();
        let first = LocalSession::new(account.clone(), Options::default()).unwrap();
        let second = LocalSession::new(account, Options::default()).unwrap();
        assert!(first.perform(&create(), None).await.unwrap().query_id.is_some());
        let show = Sql::new("SHOW IMAGE REPOSITORIES IN SCHEMA").schema(&repository().schema);
        let rows = second.query(&show, None).await.unwrap();
        let row = rows.iter().next().unwrap();
        assert_eq!(row.get("name"), Some("R"));
        assert_eq!(row.get("repository_url"), Some("local-account.registry.localhost/local/public/r"));
        assert!(second.perform(&create(), None).await.unwrap_err().is_taken());
        assert_eq!(first.identity().host, "embedded");
    }

    #[tokio::test]
    async fn statements_run_under_a_role_that_the_user_has_and_no_other() {
        let account = Account::in_memory().unwrap();
        let session = LocalSession::new(account, Options::default()).unwrap();
        let admin = Ident::exact("ACCOUNTADMIN");
        session.perform(&create(), Some(&admin)).await.unwrap();
        let show = Sql::new("SHOW IMAGE REPOSITORIES IN ACCOUNT");
        assert_eq!(session.query(&show, None).await.unwrap().rows.len(), 0, "hidden from SYSADMIN");
        assert_eq!(session.query(&show, Some(&admin)).await.unwrap().rows.len(), 1);
        let error = session.query(&show, Some(&Ident::exact("NOBODY"))).await.unwrap_err();
        assert_eq!(error.code(), Some(390_189));
    }

    #[test]
    fn options_change_where_a_session_stands() {
        let account = Account::in_memory().unwrap();
        let options = Options {
            role: Some(Ident::exact("ACCOUNTADMIN")),
            database: None,
            schema: Some(Ident::exact("ELSEWHERE")),
        };
        let session = LocalSession::new(account.clone(), options).unwrap();
        let identity = session.identity();
        assert_eq!(identity.role, Some(Ident::exact("ACCOUNTADMIN")));
        assert_eq!(identity.database, Some(Ident::exact("LOCAL")));
        assert_eq!(identity.schema, Some(Ident::exact("ELSEWHERE")));
        let refused = Options { role: Some(Ident::exact("NOBODY")), ..Options::default() };
        assert!(LocalSession::new(account, refused).is_err());
    }
}
