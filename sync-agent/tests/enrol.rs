//! Enrolment against every kind of answer: each failure has its own words, and the same request may be made again.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::wildcard_enum_match_arm, reason = "test code")]

use parkdesk_domain::wire::EnrolRequest;
use parkdesk_sync_agent::enrol::{EnrolError, enrol, enrol_request};
use serde_json::json;
use wiremock::matchers::{body_json, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn request() -> EnrolRequest {
    enrol_request(" 7K3M-1111-2222 ", "centre", "r1".parse().unwrap())
}

async fn answered(response: ResponseTemplate) -> Result<parkdesk_domain::wire::EnrolAnswer, EnrolError> {
    let hub = MockServer::start().await;
    Mock::given(method("POST")).and(path("/v1/enrol")).respond_with(response).mount(&hub).await;
    enrol(&hub.uri(), None, &request()).await
}

fn problem(status: u16, code: &str) -> ResponseTemplate {
    let body = json!({"code": code, "message": "m", "retry_after_ms": 90_000}).to_string();
    ResponseTemplate::new(status).set_body_raw(body, "application/problem+json")
}

#[tokio::test]
async fn each_failure_has_its_own_words() {
    let html = || ResponseTemplate::new(200).set_body_raw("<html>log in</html>", "text/html");
    assert!(matches!(answered(problem(403, "bad_code")).await, Err(EnrolError::BadCode)));
    assert!(matches!(answered(html()).await, Err(EnrolError::NotHub)));
    assert!(matches!(answered(ResponseTemplate::new(404)).await, Err(EnrolError::NotHub)));
    let strange = ResponseTemplate::new(200).set_body_json(json!({"hello": 1}));
    assert!(matches!(answered(strange).await, Err(EnrolError::NotHub)));
    assert!(matches!(answered(problem(429, "too_many")).await, Err(EnrolError::Busy { seconds: Some(90) })));
    assert!(matches!(answered(ResponseTemplate::new(500)).await, Err(EnrolError::HubFailed)));
    assert!(matches!(answered(problem(400, "malformed")).await, Err(EnrolError::NotUnderstood(_))));
    let nobody = enrol("http://127.0.0.1:1", None, &request()).await;
    assert!(matches!(nobody, Err(EnrolError::Unreachable)));
    assert!(matches!(enrol("http://hub.example.org", None, &request()).await, Err(EnrolError::Client(_))));
}

#[tokio::test]
async fn the_same_request_is_sent_again_word_for_word() {
    let hub = MockServer::start().await;
    let wanted = json!({"code": "7K3M-1111-2222", "request": "r1", "name": "centre"});
    let lost = Mock::given(body_json(&wanted)).respond_with(ResponseTemplate::new(502)).up_to_n_times(1);
    lost.mount(&hub).await;
    let answer = json!({"device": "d1", "token": "t", "hub": "h1", "now_ms": 5});
    Mock::given(body_json(&wanted)).respond_with(ResponseTemplate::new(200).set_body_json(answer)).mount(&hub).await;
    assert!(matches!(enrol(&hub.uri(), None, &request()).await, Err(EnrolError::HubFailed)));
    let answer = enrol(&hub.uri(), None, &request()).await.unwrap();
    assert_eq!(answer.device.as_str(), "d1");
    assert!(!format!("{answer:?}").contains("\"t\""), "the token is never shown");
}
