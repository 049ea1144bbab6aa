//! Announcements between hub processes (protocol, "Pull"): what is new is told to the others by at most one NOTIFY each
//! [`PAUSE`], on a connection of its own, never in a writing transaction. They are hints: one that is lost costs a waiting
//! poll its wait, not a row.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use parkdesk_domain::Scope;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_postgres::{AsyncMessage, Client};
use tokio_util::sync::CancellationToken;

use super::Postgres;
use super::connect::{ConnectError, Way};
use super::error::{Stop, told};

const PAUSE: Duration = Duration::from_millis(20);
/// Before the next try to reach the server.
const RETRY: Duration = Duration::from_secs(1);
/// PostgreSQL takes 8000.
const MAX_BYTES: usize = 7000;
const NOTIFY: &str = "SELECT pg_notify('parkdesk_news', $1)";
/// Anything may be new.
const ALL: &str = "*";

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something is new in these scopes.
    Scopes(BTreeSet<Scope>),
    /// Something may be new anywhere: it could not be heard for a while.
    Anything,
}

impl Postgres {
    /// Tells the hub processes what is new, once: for whoever ends then.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn tell(&self, touched: &BTreeSet<Scope>) -> crate::store::Result<()> {
        if touched.is_empty() {
            return Ok(());
        }
        let client = self.client().await?;
        let said = format!("once {}", payload(touched));
        client.execute(NOTIFY, &[&said]).await.map_err(Stop::from)?;
        Ok(())
    }

    /// Tells other processes what comes out of `news` and hears what they tell, until `stop`.
    pub async fn exchange(
        &self,
        mut news: UnboundedReceiver<BTreeSet<Scope>>,
        heard: impl Fn(Heard) + Clone + Send + 'static,
        stop: CancellationToken,
    ) {
        let own = format!("{:032x}", rand::random::<u128>());
        loop {
            let session = session(&self.way, &own, &mut news, heard.clone());
            tokio::select! {
                () = stop.cancelled() => return,
                error = session => tracing::warn!(error, "hub processes do not hear each other"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RETRY) => {}
            }
            // The next connection begins with telling of anything.
            while news.try_recv().is_ok() {}
        }
    }
}

/// One connection, until it ends; answers why.
async fn session(
    way: &Way,
    own: &str,
    news: &mut UnboundedReceiver<BTreeSet<Scope>>,
    heard: impl Fn(Heard) + Clone + Send + 'static,
) -> String {
    let (client, mut ended) = match listen(way, own.to_owned(), heard.clone()).await {
        Ok(open) => open,
        Err(error) => return error.to_string(),
    };
    // Whatever was told while nobody listened, in both directions.
    heard(Heard::Anything);
    let mut waiting = ALL.to_owned();
    loop {
        let said = format!("{own} {waiting}");
        if let Err(error) = client.execute(NOTIFY, &[&said]).await {
            return told(&error);
        }
        tokio::time::sleep(PAUSE).await;
        let mut touched = tokio::select! {
            why = &mut ended => return why.unwrap_or_else(|_| "the connection ended".to_owned()),
            next = news.recv() => match next {
                Some(touched) => touched,
                // The hub is gone, and `stop` with it.
                None => return "nobody tells anything any more".to_owned(),
            },
        };
        while let Ok(more) = news.try_recv() {
            touched.extend(more);
        }
        waiting = payload(&touched);
    }
}

/// Scopes have no blanks.
fn payload(touched: &BTreeSet<Scope>) -> String {
    let text = touched.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    if text.len() > MAX_BYTES { ALL.to_owned() } else { text }
}

fn read(own: &str, payload: &str) -> Option<Heard> {
    let (sender, rest) = payload.split_once(' ')?;
    if sender == own {
        return None;
    }
    if rest == ALL {
        return Some(Heard::Anything);
    }
    // A scope of a newer hub is for nobody here.
    Some(Heard::Scopes(rest.split(' ').filter_map(|scope| scope.parse().ok()).collect()))
}

async fn listen(
    way: &Way,
    own: String,
    heard: impl Fn(Heard) + Send + 'static,
) -> Result<(Client, tokio::sync::oneshot::Receiver<String>), ConnectError> {
    let (client, mut connection) = way.connect().await?;
    let (ending, ended) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let mut messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
        let mut why = "the connection ended".to_owned();
        while let Some(message) = messages.next().await {
            match message {
                Ok(AsyncMessage::Notification(said)) => {
                    if let Some(news) = read(&own, said.payload()) {
                        heard(news);
                    }
                }
                Ok(_) => {}
                // Asked again it would fail for ever; dropped, it ends whoever waits for an answer.
                Err(error) => {
                    why = told(&error);
                    break;
                }
            }
        }
        drop(messages);
        // Nobody waits for it any more: the hub stops.
        let _ = ending.send(why);
    });
    let failed = |error: tokio_postgres::Error| ConnectError::Away { place: way.place.clone(), cause: told(&error) };
    client.batch_execute("LISTEN parkdesk_news").await.map_err(failed)?;
    Ok((client, ended))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_process_says_the_others_hear_and_itself_does_not() {
        let touched: BTreeSet<Scope> = ["org", "park/p1/fleet"].map(|s| s.parse().unwrap()).into();
        let said = format!("me {}", payload(&touched));
        assert_eq!(read("you", &said), Some(Heard::Scopes(touched)));
        assert_eq!(read("me", &said), None);
        let many: BTreeSet<Scope> = (0..1000).map(|n| format!("park/{n:030}/fleet").parse().unwrap()).collect();
        assert_eq!(read("you", &format!("me {}", payload(&many))), Some(Heard::Anything));
    }
}
