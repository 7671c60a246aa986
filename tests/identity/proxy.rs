//! Behind a proxy, and past it.

use super::*;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A proxy that lets nobody through, and what it was asked.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let mut line = String::new();
            let _ = BufReader::new(&stream).read_line(&mut line);
            noted.lock().unwrap().push(line.trim().to_owned());
            let _ = (&stream).write_all(b"HTTP/1.1 502 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    (address, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_asked_for_what_is_not_on_this_machine() {
    let (address, seen) = proxy();
    let mut desk = Desk::new(&[
        ("SNOWFLAKE_PASSWORD", "password-5ecret"),
        ("HTTPS_PROXY", &address),
        ("HTTP_PROXY", &address),
    ])
    .await;
    desk.sign_in().succeeded();
    assert!(seen.lock().unwrap().is_empty(), "this machine is reached without it");

    desk.set("SNOWFLAKE_HOST", "acct.invalid")
        .set("SNOWFLAKE_PROTOCOL", "https")
        .set("SNOWFLAKE_PORT", "443");
    desk.sign_in().refused(1, &["a proxy is taken from HTTPS_PROXY"]);
    let asked = seen.lock().unwrap().clone();
    assert!(
        !asked.is_empty() && asked.iter().all(|line| line.starts_with("CONNECT acct.invalid:443 ")),
        "{asked:?}"
    );

    desk.set("NO_PROXY", "example.com,.invalid");
    desk.sign_in().refused(1, &["acct.invalid"]);
    assert_eq!(seen.lock().unwrap().len(), asked.len(), "past it");
}
