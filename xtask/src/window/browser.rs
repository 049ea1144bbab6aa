//! A WebDriver client of the few calls that the cases need, and the page's half of the window's framing.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::fleet::wait;

/// The page's half: `call(method, path, body, type)` asks the API as `ui/src/api/transport.ts` does.
const PRELUDE: &str = r#"
const invoke = window.__TAURI_INTERNALS__.invoke;
const call = async (method, path, body, type) => {
  const head = new TextEncoder().encode(JSON.stringify({ method, path, content_type: type ?? null }));
  const bytes = body === undefined ? new Uint8Array(0) : body instanceof Uint8Array ? body : new TextEncoder().encode(body);
  const frame = new Uint8Array(4 + head.length + bytes.length);
  new DataView(frame.buffer).setUint32(0, head.length, false);
  frame.set(head, 4);
  frame.set(bytes, 4 + head.length);
  const answer = await invoke("api", frame);
  const length = new DataView(answer).getUint32(0, false);
  const { status, content_type } = JSON.parse(new TextDecoder().decode(new Uint8Array(answer, 4, length)));
  const rest = answer.slice(4 + length);
  const isJson = content_type !== null && content_type.includes("json");
  return { status, body: isJson ? JSON.parse(new TextDecoder().decode(rest)) : rest.byteLength };
};
const done = arguments[arguments.length - 1];
const run = async (...given) => {
"#;

/// A window under automation.
pub(super) struct Browser {
    agent: ureq::Agent,
    base: String,
}

impl Browser {
    /// Starts `program` through the driver on `port`.
    pub(super) fn start(port: u16, program: &Path, args: &[&str]) -> Result<Self> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build();
        let agent = ureq::Agent::new_with_config(config);
        let root = format!("http://127.0.0.1:{port}");
        wait("WebKitWebDriver", 30, || Ok(agent.get(format!("{root}/status")).call().ok().map(|_| ())))?;
        let options = json!({ "binary": program, "args": args });
        let asked = json!({ "capabilities": { "alwaysMatch": { "webkitgtk:browserOptions": options } } });
        let mut browser = Self { agent, base: root.clone() };
        let answer = browser.post("/session", &asked).context("the window does not start under automation")?;
        let session = answer.get("sessionId").and_then(Value::as_str).context("the driver names no session")?;
        browser.base = format!("{root}/session/{session}");
        browser.post("/timeouts", &json!({ "script": 90_000 }))?;
        Ok(browser)
    }

    /// Runs the body of an async function in the page; `given` holds `args`, `call` asks the API.
    pub(super) fn run(&self, body: &str, args: &[Value]) -> Result<Value> {
        let script = format!(
            "{PRELUDE}{body}\n}};\nrun(...[...arguments].slice(0, -1)).then((ok) => done({{ ok: ok ?? null }}), \
             (error) => done({{ error: String(error) }}));"
        );
        let answer = self.post("/execute/async", &json!({ "script": script, "args": args }))?;
        match answer.get("error") {
            Some(error) => bail!("the page says {error}"),
            None => Ok(answer.get("ok").cloned().unwrap_or(Value::Null)),
        }
    }

    /// Asks the API through the page; answers status and body.
    pub(super) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u64, Value)> {
        let script =
            "const [method, path, body] = given; return call(method, path, body ?? undefined, 'application/json');";
        let body = body.map(Value::to_string);
        let answer = self.run(script, &[json!(method), json!(path), json!(body)])?;
        let status = answer.get("status").and_then(Value::as_u64).context("an answer without a status")?;
        Ok((status, answer.get("body").cloned().unwrap_or(Value::Null)))
    }

    /// [`Self::call`], with any status but 200 as an error.
    pub(super) fn ok(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        match self.call(method, path, body)? {
            (200, body) => Ok(body),
            (status, body) => bail!("{method} {path} answered {status}: {body}"),
        }
    }

    /// The page's address.
    pub(super) fn url(&self) -> Result<String> {
        let answer = self.agent.get(format!("{}/url", self.base)).call()?.body_mut().read_json::<Value>()?;
        Ok(answer.get("value").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut response = self.agent.post(format!("{}{path}", self.base)).send_json(body)?;
        let status = response.status();
        let answer: Value = response.body_mut().read_json().with_context(|| format!("{path} answered {status}"))?;
        let value = answer.get("value").cloned().unwrap_or(Value::Null);
        if !status.is_success() {
            bail!("WebDriver {path}: {value}");
        }
        Ok(value)
    }
}
