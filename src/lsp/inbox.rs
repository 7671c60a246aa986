//! Messages that wait. Requests that the editor takes back before they are answered are not answered.

use gen_lsp_types::{CancelParams, Id};
use lsp_server::{Message, Notification, RequestId};
use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

/// The messages of the editor, in their order.
pub(super) struct Inbox {
    incoming: Receiver<Message>,
    waiting: VecDeque<Message>,
    cancelled: Vec<RequestId>,
}

/// What comes next.
pub(super) enum Next {
    /// A message.
    Message(Message),
    /// A request that was taken back.
    Cancelled(RequestId),
    /// Nothing, for as long as was to be waited.
    Quiet,
    /// There will be no more.
    End,
}

impl Inbox {
    /// Reads ahead of the server, so that it knows what waits.
    pub(super) fn new(source: impl IntoIterator<Item = Message> + Send + 'static) -> Self {
        let (outgoing, incoming) = mpsc::channel();
        std::thread::spawn(move || source.into_iter().try_for_each(|message| outgoing.send(message)));
        Self { incoming, waiting: VecDeque::new(), cancelled: Vec::new() }
    }

    /// The next message; with `patience`, at most that long.
    pub(super) fn next(&mut self, patience: Option<Duration>) -> Next {
        while let Ok(message) = self.incoming.try_recv() {
            self.put(message);
        }
        loop {
            if let Some(id) = self.cancelled.pop() {
                return Next::Cancelled(id);
            }
            if let Some(message) = self.waiting.pop_front() {
                return Next::Message(message);
            }
            let received = match patience {
                Some(patience) => self.incoming.recv_timeout(patience),
                None => self.incoming.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match received {
                Ok(message) => self.put(message),
                Err(RecvTimeoutError::Timeout) => return Next::Quiet,
                Err(RecvTimeoutError::Disconnected) => return Next::End,
            }
        }
    }

    fn put(&mut self, message: Message) {
        let Some(id) = cancels(&message) else {
            self.waiting.push_back(message);
            return;
        };
        // One that was answered already cannot be taken back.
        let is_it = |waiting: &Message| matches!(waiting, Message::Request(request) if request.id == id);
        let before = self.waiting.len();
        self.waiting.retain(|waiting| !is_it(waiting));
        if self.waiting.len() < before {
            self.cancelled.push(id);
        }
    }
}

fn cancels(message: &Message) -> Option<RequestId> {
    let Message::Notification(Notification { method, params }) = message else { return None };
    if method != "$/cancelRequest" {
        return None;
    }
    let CancelParams { id } = serde_json::from_value(params.clone()).ok()?;
    Some(match id {
        Id::Int(id) => id.into(),
        Id::String(id) => id.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsp_server::Request;
    use serde_json::json;

    fn request(id: i32) -> Message {
        Request::new(id.into(), "x".to_owned(), json!({})).into()
    }

    #[test]
    fn a_request_that_waits_can_be_taken_back_and_one_that_went_cannot() {
        let cancel = |id: i32| Notification::new("$/cancelRequest".to_owned(), json!({ "id": id })).into();
        let mut inbox =
            Inbox { incoming: mpsc::channel().1, waiting: VecDeque::new(), cancelled: Vec::new() };
        for message in [request(1), request(2), cancel(2), cancel(7)] {
            inbox.put(message);
        }
        assert!(matches!(inbox.next(None), Next::Cancelled(id) if id == 2.into()));
        assert!(
            matches!(inbox.next(None), Next::Message(Message::Request(request)) if request.id == 1.into())
        );
        assert!(matches!(inbox.next(None), Next::End));
    }
}
