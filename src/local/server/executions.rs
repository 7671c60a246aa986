//! Statements that were asked for: each is carried out once, however often it is asked for, and its answer
//! can be fetched again for a while.

use super::answer::Reply;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared as SharedFuture};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How many executions are remembered. A client repeats a request within seconds, and has a few under way.
const REMEMBERED: usize = 256;

/// How long a client is kept waiting before it is told to ask again (gosnowflake, observed).
const PATIENCE: Duration = Duration::from_secs(45);

/// What became of the statements of one request.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The answer.
    pub(super) reply: Reply,
    /// Of several statements: the answer of each by its id.
    pub(super) children: HashMap<String, Reply>,
    /// Code and message, where it failed.
    pub(super) failure: Option<(String, String)>,
}

/// An outcome to come.
pub(super) type Coming = SharedFuture<BoxFuture<'static, Arc<Outcome>>>;

/// One request for statements.
pub(super) struct Execution {
    /// Whose it is; nobody else may fetch its answer.
    pub(super) session: i64,
    /// Its id.
    pub(super) query_id: String,
    /// Of several statements: the id of each.
    pub(super) child_ids: Vec<String>,
    request_id: String,
    coming: Coming,
}

impl Execution {
    /// The outcome, if it is there within a reasonable time.
    pub(super) async fn wait(&self) -> Option<Arc<Outcome>> {
        tokio::time::timeout(PATIENCE, self.coming.clone()).await.ok()
    }

    /// The outcome, if it is there.
    pub(super) fn now(&self) -> Option<Arc<Outcome>> {
        self.coming.clone().now_or_never()
    }
}

/// The latest executions.
#[derive(Default)]
pub(super) struct Executions {
    by_request: HashMap<(i64, String), Arc<Execution>>,
    by_query: HashMap<String, Arc<Execution>>,
    order: VecDeque<Arc<Execution>>,
}

impl Executions {
    /// The execution of this request of this session, which `start` starts unless it was asked for before. A
    /// request without an id is new every time.
    pub(super) fn once(
        &mut self,
        session: i64,
        request_id: &str,
        child_ids: Vec<String>,
        start: impl FnOnce(&str) -> Coming,
    ) -> Arc<Execution> {
        let key = (session, request_id.to_owned());
        if let Some(known) = self.by_request.get(&key) {
            return Arc::clone(known);
        }
        let query_id = uuid::Uuid::new_v4().to_string();
        let coming = start(&query_id);
        let (session, request_id) = key.clone();
        let execution = Arc::new(Execution { session, query_id, child_ids, request_id, coming });
        if !execution.request_id.is_empty() {
            self.by_request.insert(key, Arc::clone(&execution));
        }
        for id in execution.child_ids.iter().chain([&execution.query_id]) {
            self.by_query.insert(id.clone(), Arc::clone(&execution));
        }
        self.order.push_back(Arc::clone(&execution));
        self.forget();
        execution
    }

    /// The execution of this session with this id.
    pub(super) fn by_query(&self, session: i64, query_id: &str) -> Option<Arc<Execution>> {
        self.by_query.get(query_id).filter(|execution| execution.session == session).cloned()
    }

    /// The execution of this request of this session.
    pub(super) fn by_request(&self, session: i64, request_id: &str) -> Option<Arc<Execution>> {
        self.by_request.get(&(session, request_id.to_owned())).cloned()
    }

    fn forget(&mut self) {
        while self.order.len() > REMEMBERED {
            let Some(oldest) = self.order.pop_front() else { return };
            self.by_request.remove(&(oldest.session, oldest.request_id.clone()));
            for id in oldest.child_ids.iter().chain([&oldest.query_id]) {
                self.by_query.remove(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(_: &str) -> Coming {
        let outcome = Outcome { reply: Reply::success(()), children: HashMap::new(), failure: None };
        std::future::ready(Arc::new(outcome)).boxed().shared()
    }

    fn never(_: &str) -> Coming {
        panic!("it was carried out before")
    }

    #[test]
    fn a_request_is_carried_out_once_per_session() {
        let mut executions = Executions::default();
        let first = executions.once(1, "r", Vec::new(), ready);
        assert_eq!(executions.once(1, "r", Vec::new(), never).query_id, first.query_id);
        assert_ne!(executions.once(2, "r", Vec::new(), ready).query_id, first.query_id);
        assert!(first.now().is_some());
        assert!(executions.by_query(1, &first.query_id).is_some());
        assert!(executions.by_query(2, &first.query_id).is_none(), "somebody else's");
        let unnamed = executions.once(1, "", Vec::new(), ready);
        assert_ne!(executions.once(1, "", Vec::new(), ready).query_id, unnamed.query_id);
    }

    #[test]
    fn old_executions_are_forgotten() {
        let mut executions = Executions::default();
        let first = executions.once(1, "first", vec!["child".to_owned()], ready);
        for number in 0..REMEMBERED {
            executions.once(1, &number.to_string(), Vec::new(), ready);
        }
        assert!(executions.by_query(1, &first.query_id).is_none());
        assert!(executions.by_query(1, "child").is_none());
        assert!(executions.by_request(1, "first").is_none());
        assert!(executions.by_request(1, "0").is_some());
        assert_eq!(executions.by_query.len(), REMEMBERED);
    }
}
