//! The way between an appliance and the hub: how long, how lossy, and what stands in it.

use std::io::Read;

use parkdesk_domain::wire::frame::{self, Reader};
use parkdesk_domain::wire::{FrameHead, FrameRow};
use parkdesk_sync_agent::codec::Received;

use crate::dice::Dice;

/// What becomes of a request.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// It arrives after so many milliseconds, and perhaps once more.
    Arrives { after_ms: u64, again_ms: Option<u64> },
    /// Nothing ever comes of it.
    Vanishes,
    /// Something on the way answers.
    Stopped { after_ms: u64, answer: Received },
}

/// What becomes of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Return {
    /// It arrives, perhaps not all of it.
    Arrives { after_ms: u64, received: Received },
    /// It comes drop by drop and never ends.
    Drips,
    /// Nothing comes.
    Vanishes,
}

/// How bad it is; each number is times in a thousand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Weather {
    /// Shortest way in milliseconds.
    pub(crate) fast_ms: u64,
    /// Longest way.
    pub(crate) slow_ms: u64,
    /// Requests that vanish.
    pub(crate) lost: u64,
    /// Answers that vanish.
    pub(crate) unanswered: u64,
    /// Requests that arrive twice.
    pub(crate) doubled: u64,
    /// Answers that are cut off.
    pub(crate) cut: u64,
    /// Answers that drip.
    pub(crate) drips: u64,
    /// Requests that a proxy answers with an error.
    pub(crate) errors: u64,
    /// Ways that take up to a minute.
    pub(crate) late: u64,
}

impl Weather {
    /// Nothing goes wrong.
    #[must_use]
    pub(crate) fn calm() -> Self {
        Self { fast_ms: 20, slow_ms: 60, ..Self::default() }
    }

    /// Some of everything.
    #[must_use]
    pub(crate) fn rough(dice: &mut Dice) -> Self {
        let mut some = |most: u64| if dice.often(500) { dice.below(most) } else { 0 };
        Self {
            fast_ms: 5,
            slow_ms: 50 + some(3000),
            lost: some(150),
            unanswered: some(200),
            doubled: some(200),
            cut: some(200),
            drips: some(60),
            errors: some(150),
            late: some(80),
        }
    }

    fn way(&self, dice: &mut Dice) -> u64 {
        if dice.often(self.late) { dice.between(5_000, 60_000) } else { dice.between(self.fast_ms, self.slow_ms) }
    }

    pub(crate) fn there(&self, dice: &mut Dice, is_portal: bool) -> Fate {
        let after_ms = self.way(dice);
        if is_portal {
            return Fate::Stopped { after_ms, answer: portal() };
        }
        if dice.often(self.lost) {
            return Fate::Vanishes;
        }
        if dice.often(self.errors) {
            return Fate::Stopped { after_ms, answer: proxy_error(dice) };
        }
        let again_ms = dice.often(self.doubled).then(|| self.way(dice));
        Fate::Arrives { after_ms, again_ms }
    }

    pub(crate) fn back(&self, dice: &mut Dice, mut received: Received) -> Return {
        if dice.often(self.unanswered) {
            return Return::Vanishes;
        }
        if dice.often(self.drips) {
            return Return::Drips;
        }
        if dice.often(self.cut) {
            let keep = dice.below(received.body.len() as u64 + 1);
            received.body.truncate(usize::try_from(keep).unwrap_or(0));
            received.is_cut = true;
        }
        Return::Arrives { after_ms: self.way(dice), received }
    }
}

fn html(status: u16, text: &str) -> Received {
    let body = text.as_bytes().to_vec();
    Received { status, content_type: "text/html; charset=utf-8".into(), body, ..Received::default() }
}

/// A captive portal: all is well, says it, and is no hub.
fn portal() -> Received {
    html(200, "<html><body>Log in to the network of the airport</body></html>")
}

fn proxy_error(dice: &mut Dice) -> Received {
    let status = dice.pick(&[429, 500, 502, 503, 504, 520, 403, 407, 302]).copied().unwrap_or(502);
    let retry_after_ms = (dice.often(300) && matches!(status, 429 | 503)).then(|| dice.between(1, 40) * 1000);
    Received { retry_after_ms, ..html(status, "<html>the proxy is not well</html>") }
}

/// What a client makes of a cut page that does not look for the trailer: the rows that came, as if they were all.
pub(crate) fn take_for_whole(mut received: Received) -> Received {
    if received.content_type != "application/x-ndjson" || !received.is_cut {
        return received;
    }
    let mut whole = Vec::new();
    for part in Reader::new(&received.body).map_while(Result::ok) {
        let _ = frame::encode(&part.head, &part.rows, &mut whole);
    }
    let mut rest = Vec::new();
    let skipped = whole.len();
    let _ = received.body.as_slice().get(skipped..).unwrap_or_default().read_to_end(&mut rest);
    let mut lines = rest.split(|byte| *byte == b'\n');
    if let Some(head) = lines.next().and_then(|line| serde_json::from_slice::<FrameHead>(line).ok()) {
        let rows: Vec<FrameRow> = lines.map_while(|line| serde_json::from_slice(line).ok()).collect();
        let _ = frame::encode(&head, &rows, &mut whole);
    }
    received.body = whole;
    received.is_cut = false;
    received
}
