//! What the page may ask of the window, as a reviewed list: `permissions.txt` is what the capabilities come to, and this
//! fails when it drifts. Also the switches of the web view that must stay as they are.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests: their helpers are not seen as such")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Plugins that would go around the API: files, network, programs, tables, replacing ourselves.
const NEVER: [&str; 10] =
    ["fs", "http", "shell", "sql", "store", "upload", "updater", "process", "dialog", "persisted-scope"];

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn json(path: &str) -> Value {
    let path = here(path);
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The commands that a permission opens, through sets of permissions too.
fn commands(manifests: &Value, permission: &str) -> BTreeSet<String> {
    let (plugin, name) = permission.rsplit_once(':').unwrap_or(("__app-acl__", permission));
    let manifest = &manifests[plugin];
    assert!(manifest.is_object(), "{permission}: no such plugin");
    if let Some(set) = manifest["permission_sets"].get(name) {
        let prefix = |one: &str| if plugin == "__app-acl__" { one.into() } else { format!("{plugin}:{one}") };
        return texts(&set["permissions"]).into_iter().flat_map(|one| commands(manifests, &prefix(one))).collect();
    }
    let found = &manifest["permissions"][name];
    assert!(found.is_object(), "{permission}: no such permission");
    texts(&found["commands"]["allow"]).into_iter().map(str::to_owned).collect()
}

#[test]
fn the_reviewed_list_is_what_the_capabilities_come_to() {
    let manifests = json("gen/schemas/acl-manifests.json");
    let mut lines = String::new();
    for entry in fs::read_dir(here("capabilities")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let capability = json(&format!("capabilities/{file}"));
        assert!(capability.get("remote").is_none(), "{file}: remote pages have no business here");
        assert_eq!(texts(&capability["windows"]), ["main"], "{file}");
        for permission in texts(&capability["permissions"]) {
            for command in commands(&manifests, permission) {
                let name = capability["identifier"].as_str().unwrap();
                lines.push_str(&format!("{name} {permission} {command}\n"));
            }
        }
    }
    let reviewed = fs::read_to_string(here("permissions.txt")).unwrap();
    assert_eq!(lines, reviewed, "review what changed, then write it into src-tauri/permissions.txt");
}

#[test]
fn no_plugin_goes_around_the_api() {
    let manifests = json("gen/schemas/acl-manifests.json");
    let manifest = fs::read_to_string(here("Cargo.toml")).unwrap();
    // Comments may say why something is not there.
    let manifest: String = manifest.lines().map(|line| line.split('#').next().unwrap_or_default()).collect();
    for plugin in NEVER {
        assert!(manifests.get(plugin).is_none(), "{plugin} is compiled in");
        assert!(!manifest.contains(&format!("tauri-plugin-{plugin}")), "{plugin} is asked for");
    }
    assert!(!manifest.contains("devtools"), "a shipped window has no developer tools");
}

#[test]
fn the_web_view_is_shut() {
    let config = json("tauri.conf.json");
    let app = &config["app"];
    assert_eq!(app["withGlobalTauri"], false);
    assert_eq!(app["windows"], serde_json::json!([]), "windows are made in code, with their guards");
    let security = &app["security"];
    assert_eq!(security["freezePrototype"], true);
    assert_eq!(security["assetProtocol"]["enable"], false);
    assert!(config["build"].get("devUrl").is_none(), "the page never comes from a server");
    assert!(security.get("dangerousDisableAssetCspModification").is_none());
    assert!(security.get("devCsp").is_none());
    let csp = security["csp"].as_object().unwrap();
    for directive in ["default-src", "object-src", "frame-src", "base-uri", "form-action", "frame-ancestors"] {
        assert_eq!(csp[directive], "'none'", "{directive}");
    }
    for directive in ["script-src", "style-src", "font-src"] {
        assert_eq!(csp[directive], "'self'", "{directive}");
    }
    assert_eq!(csp["connect-src"], "ipc: http://ipc.localhost");
    for (directive, sources) in csp {
        let sources = sources.as_str().unwrap();
        assert!(!sources.contains("unsafe") && !sources.contains('*'), "{directive}: {sources}");
        assert!(!sources.contains("http") || directive == "connect-src", "{directive}: {sources}");
    }
}
