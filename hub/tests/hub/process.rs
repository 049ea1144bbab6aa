//! The real program, started and asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use parkdesk_domain::rights::Role;
use parkdesk_domain::wire::*;
use serde_json::{Value, json};

use crate::world::Device;

pub(crate) const HUB: &str = env!("CARGO_BIN_EXE_parkdesk-hub");

/// A running hub, killed when dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn start(mut command: Command) -> Running {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let address = ready["address"].as_str().unwrap().parse().unwrap();
    Running { child, address }
}

pub(crate) fn run(data: &Path, args: &[&str]) -> Output {
    Command::new(HUB).args(["admin", "--json", "--data"]).arg(data).args(args).output().unwrap()
}

#[track_caller]
pub(crate) fn admin(data: &Path, args: &[&str]) -> Value {
    let output = run(data, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// One request on a connection of its own; `None` if the hub is gone before a whole answer.
pub(crate) fn post(address: SocketAddr, path: &str, token: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: hub\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let length: usize = head.lines().find_map(|l| l.strip_prefix("content-length: "))?.parse().ok()?;
    (body.len() == length).then(|| (head[9..12].parse().unwrap(), body.to_owned()))
}

pub(crate) fn park_and_device(data: &Path, address: SocketAddr, role: &Role) -> Device {
    admin(data, &["park", "create", "--name", "Парк", "--city", "msk", "--id", "p1"]);
    let code = admin(data, &["enrol-code", "--role", role.as_str(), "--park", "p1"]);
    let body = json!({"code": code["code"], "request": "r1", "name": "desk"}).to_string();
    let (status, answer) = post(address, "/v1/enrol", "", &body).unwrap();
    assert_eq!(status, 200, "{answer}");
    let answer: EnrolAnswer = serde_json::from_str(&answer).unwrap();
    Device { id: answer.device, token: answer.token, epoch: 1, seq: 0, cursors: BTreeMap::new() }
}
