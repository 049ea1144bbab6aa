//! Frames of the pipe: a header and attachments, each behind its length, all within bounds.

use std::io::{self, ErrorKind, Read, Write};

/// What broke on the pipe.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// Reading or writing failed, or the pipe closed inside a message.
    #[error("the pipe broke: {0}")]
    Io(#[from] io::Error),
    /// A length or count is beyond its bound.
    #[error("{what} of {figure} is beyond the bound of {bound}")]
    TooLarge {
        /// Which length or count.
        what: &'static str,
        /// What was claimed.
        figure: u64,
        /// What is allowed.
        bound: u64,
    },
    /// The header is not what it should be. The text names types and places, never values of a template.
    #[error("the header cannot be read: {0}")]
    Header(serde_json::Error),
    /// The attachments do not belong to the header.
    #[error("the attachments do not fit the header")]
    Attachments,
}

/// A header and its attachments.
type Message = (Vec<u8>, Vec<Vec<u8>>);

/// What a reader and a writer allow.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) header: u32,
    pub(super) attachments: u32,
    pub(super) attachment: u64,
    pub(super) total: u64,
}

pub(super) fn write(
    to: &mut impl Write,
    bounds: Bounds,
    header: &[u8],
    attachments: &[&[u8]],
) -> Result<(), ProtocolError> {
    let header_len = within("a header", header.len() as u64, u64::from(bounds.header))?;
    let count = within("a number of attachments", attachments.len() as u64, u64::from(bounds.attachments))?;
    let mut total = 0;
    for attachment in attachments {
        within("an attachment", attachment.len() as u64, bounds.attachment)?;
        total += attachment.len() as u64;
    }
    within("all attachments", total, bounds.total)?;
    to.write_all(&(header_len as u32).to_le_bytes())?;
    to.write_all(header)?;
    to.write_all(&(count as u32).to_le_bytes())?;
    for attachment in attachments {
        to.write_all(&(attachment.len() as u64).to_le_bytes())?;
        to.write_all(attachment)?;
    }
    to.flush()?;
    Ok(())
}

/// The header and the attachments of one message; `None` if the pipe closed before its first byte.
pub(super) fn read(from: &mut impl Read, bounds: Bounds) -> Result<Option<Message>, ProtocolError> {
    let mut length = [0; 4];
    let first = loop {
        match from.read(&mut length) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    if first == 0 {
        return Ok(None);
    }
    from.read_exact(length.get_mut(first..).unwrap_or_default())?;
    let length = within("a header", u64::from(u32::from_le_bytes(length)), u64::from(bounds.header))?;
    let header = read_block(from, length)?;
    let mut count = [0; 4];
    from.read_exact(&mut count)?;
    let count = within("a number of attachments", u64::from(u32::from_le_bytes(count)), u64::from(bounds.attachments))?;
    let mut left = bounds.total;
    let mut attachments = Vec::new();
    for _ in 0..count {
        let mut length = [0; 8];
        from.read_exact(&mut length)?;
        let length = within("an attachment", u64::from_le_bytes(length), bounds.attachment)?;
        left -= within("all attachments", length, left)?;
        attachments.push(read_block(from, length)?);
    }
    Ok(Some((header, attachments)))
}

/// Reads a block as it arrives: memory grows with the bytes that are there, not with the length that was claimed.
fn read_block(from: &mut impl Read, length: u64) -> Result<Vec<u8>, ProtocolError> {
    let mut block = Vec::new();
    from.take(length).read_to_end(&mut block)?;
    if block.len() as u64 != length {
        return Err(ProtocolError::Io(ErrorKind::UnexpectedEof.into()));
    }
    Ok(block)
}

fn within(what: &'static str, figure: u64, bound: u64) -> Result<u64, ProtocolError> {
    if figure > bound { Err(ProtocolError::TooLarge { what, figure, bound }) } else { Ok(figure) }
}
