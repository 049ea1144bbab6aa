//! The database itself: away and back, keys, versions, TLS, what lies in it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use parkdesk_domain::Millis;
use parkdesk_domain::rights::Role;
use parkdesk_domain::wire::*;
use parkdesk_hub::data::{self, Shared, StartError};
use parkdesk_hub::store::Store;
use parkdesk_hub::store::postgres::{Address, ConnectError};
use tokio_postgres::NoTls;

use crate::backend::{Backend, execute, shared, wait};
use crate::server::{Server, shared_server};
use crate::world::*;

fn open(data: &Path, shared: &Shared) -> Result<data::Opened, StartError> {
    wait(data::open_shared(data, None, shared, Millis(START)))
}

fn why(data: &Path, shared: &Shared) -> ConnectError {
    match open(data, shared) {
        Err(StartError::Store(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgresql_is_away_every_request_is_told_to_come_again_and_then_it_works() {
    let mut server = Server::start(&["fsync=off"]);
    let world = World::on(Backend::on(&server));
    world.add_park("p1").await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    let first = [device.command(comment("v1", "p1", None, "before"), &[])];
    assert_applied(&device.push(&world, &first).await);
    server.stop();
    let command = [device.command(comment("v2", "p1", None, "after"), &[])];
    let reply = device.try_push(&world, &command).await;
    assert_eq!(reply.problem(), (503, ProblemCode::Unavailable));
    assert!(reply.headers.contains_key("retry-after"));
    let health = world.call(axum::http::Method::GET, "/healthz", "", "").await;
    assert_eq!(health.status, 503);
    server.run();
    assert_applied(&device.push(&world, &command).await);
    assert!(matches!(device.push(&world, &first).await[0], Verdict::Duplicate { .. }), "nothing was lost");
}

#[test]
fn a_server_that_is_not_there_is_named_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let error = why(&dir.path().join("data"), &shared("postgres://parkdesk@%2Fnowhere/hub"));
    assert!(error.to_string().contains("PostgreSQL at /nowhere/hub cannot be reached"), "{error}");
    assert!(!dir.path().join("data/hub.key").exists());
}

#[test]
fn a_password_in_the_address_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = why(&dir.path().join("data"), &shared("postgres://parkdesk:secret@localhost/hub"));
    assert!(matches!(error, ConnectError::PasswordShown));
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn every_process_of_a_store_needs_the_same_key() {
    let (dir, url) = (tempfile::tempdir().unwrap(), shared_server().database());
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    drop(open(&one, &shared(&url)).unwrap());
    assert!(matches!(open(&two, &shared(&url)), Err(StartError::SharedKeyMissing { .. })));
    assert!(!two.join("hub.key").exists(), "a new key would open nothing");
    std::fs::write(two.join("hub.key"), "cd".repeat(32)).unwrap();
    std::fs::set_permissions(two.join("hub.key"), PermissionsExt::from_mode(0o600)).unwrap();
    assert!(matches!(why(&two, &shared(&url)), ConnectError::OtherKey(_)));
    std::fs::copy(one.join("hub.key"), two.join("hub.key")).unwrap();
    let opened = [open(&one, &shared(&url)).unwrap(), open(&two, &shared(&url)).unwrap()];
    let ids = opened.map(|opened| wait(async move { opened.store.hub_id().await.unwrap() }));
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let (dir, url) = (tempfile::tempdir().unwrap(), shared_server().database());
    let data = dir.path().join("data");
    drop(open(&data, &shared(&url)).unwrap());
    let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
                 SELECT 999, 'future', applied_on, checksum FROM refinery_schema_history LIMIT 1";
    wait(execute(&url, newer));
    assert!(matches!(why(&data, &shared(&url)), ConnectError::Newer(_)));
    assert_eq!(wait(execute(&url, "DELETE FROM refinery_schema_history WHERE version = 999")), 1);
    open(&data, &shared(&url)).unwrap();
}

#[tokio::test]
async fn the_database_holds_neither_tokens_nor_codes_nor_keys_nor_bytes() {
    let world = World::with_park().await;
    let code = world.code(Role::PhotoStaff, "p1", 10).await;
    let answer: EnrolAnswer = world.enrol_with(&code, "r1").await.json();
    let mut device = Device { id: answer.device, token: answer.token, epoch: 1, seq: 0, cursors: Default::default() };
    let command = device.command(capture("f1", "p1", [b"the picture", b"p", b"t"]), &[]);
    assert_applied(&device.push(&world, &[command]).await);
    let path = format!("/v1/blobs/{}", parkdesk_domain::BlobId::of(b"the picture"));
    assert_eq!(world.call(axum::http::Method::PUT, &path, &device.token, &b"the picture"[..]).await.status, 204);
    let (client, connection) = tokio_postgres::connect(world.backend.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let tables = "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
                  WHERE schemaname IN ('public', 'parkdesk_keys')";
    let (mut text, mut sealed) = (String::new(), 0);
    for table in client.query(tables, &[]).await.unwrap() {
        let name: String = table.get("name");
        for row in client.query(&format!("SELECT t::text AS line FROM {name} t"), &[]).await.unwrap() {
            text += row.get("line");
            sealed += usize::from(name.ends_with("person_keys"));
        }
    }
    assert!(text.contains("Ёлкин") && sealed == 1, "all tables were read");
    let key = std::fs::read_to_string(world.dir.path().join("data/hub.key")).unwrap();
    for secret in [device.token.as_str(), &code, &code.replace('-', ""), key.trim(), "the picture"] {
        assert!(!text.contains(secret), "{secret}");
        assert!(!text.contains(&hex::encode(secret)), "{secret} in hex");
    }
}

/// A certificate authority and a certificate of 127.0.0.1 in the folder.
fn make_certificates(dir: &Path) {
    let script = r#"set -eu; cd "$0"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=ca -keyout ca.key -out ca.pem
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=pg -keyout server.key -out server.csr
printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' > ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out server.pem
chmod 600 server.key; [ "$(id -u)" != 0 ] || chown postgres server.key"#;
    let made = Command::new("sh").args(["-c", script]).arg(dir).stderr(Stdio::null()).status().unwrap();
    assert!(made.success());
}

#[test]
fn over_the_network_it_is_tls_with_a_certificate_that_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    make_certificates(dir.path());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let settings = [
        "fsync=off".to_owned(),
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", file("server.pem")),
        format!("ssl_key_file={}", file("server.key")),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let server = Server::start(&settings);
    let name = server.database();
    let name = name.rsplit_once('/').unwrap().1;
    let address = |ca: Option<&str>, mode: &str| Shared {
        address: Address {
            url: format!("postgres://parkdesk@127.0.0.1:{port}/{name}?sslmode={mode}"),
            password_file: None,
            ca_file: ca.map(|ca| dir.path().join(ca)),
        },
        blobs: None,
    };
    let data = dir.path().join("data");
    let opened = open(&data, &address(Some("ca.pem"), "require")).unwrap();
    assert!(wait(async { opened.store.hub_id().await }).is_ok());
    drop(opened);
    let error = why(&data, &address(None, "require"));
    assert!(error.to_string().contains("certificate"), "nobody vouches for it: {error}");
    assert!(matches!(why(&data, &address(Some("nothing.pem"), "require")), ConnectError::File { .. }));
}

#[test]
fn a_password_comes_from_a_file_and_a_wrong_one_is_told_without_being_shown() {
    let server = Server::start(&["fsync=off"]);
    let admin = server.database();
    let run = |sql: &str| wait(execute(&admin, sql));
    let hba = "COPY (VALUES ('local all hub_role scram-sha-256'), ('local all parkdesk trust')) TO ";
    run(&format!("{hba} '{}'", server.folder().join("data/pg_hba.conf").display()));
    run("SELECT pg_reload_conf()");
    run("CREATE ROLE hub_role LOGIN PASSWORD 'correct-horse'");
    run("CREATE DATABASE owned OWNER hub_role");
    let url = server.url("owned").replace("parkdesk@", "hub_role@");
    let dir = tempfile::tempdir().unwrap();
    let with = |password: &str| {
        let file = dir.path().join(password);
        std::fs::write(&file, format!("{password}\n")).unwrap();
        Shared { address: Address { url: url.clone(), password_file: Some(file), ca_file: None }, blobs: None }
    };
    let data = dir.path().join("data");
    let error = why(&data, &with("battery-staple")).to_string();
    assert!(error.contains("password authentication failed") && !error.contains("battery"), "{error}");
    assert!(matches!(why(&data, &shared(&url)), ConnectError::Away { .. }), "none at all");
    let opened = open(&data, &with("correct-horse")).unwrap();
    assert!(wait(async { opened.store.hub_id().await }).is_ok(), "whoever owns the database needs no more rights");
    let debug = format!("{:?}", opened.store);
    assert!(!debug.contains("horse"), "{debug}");
}
