//! The line protocol of a measuring program: a command in, a line of JSON out, until its input ends.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;

/// A measuring program that is running.
pub struct Measuring {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Measuring {
    /// Starts it.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let commands = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("BUG: stdout is piped")?);
        Ok(Self { child, commands, answers })
    }

    /// Gives a command and waits for its line.
    ///
    /// # Errors
    /// If the program has died or says something else.
    pub fn ask<T: DeserializeOwned>(&mut self, command: &str) -> Result<T> {
        let commands = self.commands.as_mut().context("BUG: stdin is piped")?;
        writeln!(commands, "{command}").context("the measuring program has died, see above")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the measuring program has died, see above");
        serde_json::from_str(&line).with_context(|| format!("the measuring program said {line:?}"))
    }
}

impl Drop for Measuring {
    fn drop(&mut self) {
        // Its input ends, and so does it.
        self.commands = None;
        // It has nothing left to say, whatever its status.
        let _ = self.child.wait();
    }
}
