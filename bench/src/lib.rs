//! Side-by-side benchmarks against peers: what is judged, and how two measuring programs take turns.
//!
//! Only ratios inside one run are judged, never times from another machine or day. Rounds of ours and of the peer take
//! turns and figures are CPU seconds on one thread, so that other work on the machine touches both alike. Building and
//! installing is `cargo xtask bench`'s; this crate starts what it is given.

pub mod faces;
mod measuring;

use anyhow::Result;
use serde::Serialize;

pub use self::measuring::Measuring;

/// One judged figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: &'static str,
    /// The figure.
    pub measured: f64,
    /// What it has to reach.
    pub goal: Goal,
    /// What stands beside it for people: recall, times, sizes.
    pub beside: String,
}

/// What a figure has to reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

impl Figure {
    /// Whether the goal is reached; a figure that is no number reaches none.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        match self.goal {
            Goal::AtMost(limit) => self.measured <= limit,
            Goal::AtLeast(limit) => self.measured >= limit,
        }
    }

    /// `name  measured  goal  ok|short  what stands beside it`.
    #[must_use]
    pub fn line(&self) -> String {
        let goal = match self.goal {
            Goal::AtMost(limit) => format!("<= {limit}"),
            Goal::AtLeast(limit) => format!(">= {limit}"),
        };
        let verdict = if self.is_ok() { "ok" } else { "short" };
        format!("{:<28} {:>8.3}   {goal:<8} {verdict:<6} {}", self.name, self.measured, self.beside)
    }
}

/// The middle of some figures.
///
/// # Errors
/// If there are none.
fn median(mut values: Vec<f64>) -> Result<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.get((values.len().max(1) - 1) / 2).zip(values.get(values.len() / 2));
    let (lower, upper) = middle.ok_or_else(|| anyhow::anyhow!("nothing was measured"))?;
    Ok(f64::midpoint(*lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_judged_on_the_right_side_of_their_goal() {
        let figure = |measured, goal| Figure { name: "f", measured, goal, beside: String::new() };
        for (measured, goal, ok) in [
            (0.4, Goal::AtMost(0.4), true),
            (0.41, Goal::AtMost(0.4), false),
            (0.4, Goal::AtLeast(0.4), true),
            (0.39, Goal::AtLeast(0.4), false),
            (f64::NAN, Goal::AtMost(0.4), false),
            (f64::NAN, Goal::AtLeast(0.4), false),
        ] {
            assert_eq!(figure(measured, goal).is_ok(), ok, "{measured} {goal:?}");
            assert!(figure(measured, goal).line().contains(if ok { " ok" } else { " short" }));
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]).unwrap(), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]).unwrap(), 2.5);
        assert!(median(Vec::new()).is_err());
    }
}
