//! Reader of torch's legacy `.pt` files (magic 0x1950a86a20f9469cfc6c, before the zip form): a state dict of plain
//! float tensors.
//!
//! A pickle is a program. This reader runs nothing: it knows the opcodes that such a file needs, keeps the values as
//! data in an arena, and allows three names (`OrderedDict`, `_rebuild_tensor_v2`, `FloatStorage`). Strides are honoured:
//! the O-Net's tensors are stored column by column.

#![allow(clippy::wildcard_enum_match_arm, reason = "a value of any other type is refused alike")]

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

use super::store::Tensors;

const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;

/// An index into the arena.
type Id = usize;

#[derive(Debug, Clone, PartialEq)]
enum Value {
    None,
    Bool,
    Int(i64),
    Long(Vec<u8>),
    Text(String),
    Global(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A reference to a storage, told by a tuple.
    Persistent(Id),
    /// A function and its arguments; never called.
    Call(Id, Id),
}

/// Where a tensor lies in its storage.
struct Layout {
    key: String,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

/// Reads a state dict.
pub(super) fn read(bytes: &[u8]) -> Result<Tensors> {
    let mut rest = bytes;
    let magic = unpickle(&mut rest).context("magic number")?;
    ensure!(magic.top()? == &Value::Long(MAGIC.to_vec()), "not a legacy torch file");
    let protocol = unpickle(&mut rest).context("protocol")?;
    ensure!(protocol.top()? == &Value::Int(PROTOCOL), "torch protocol is not {PROTOCOL}");
    unpickle(&mut rest).context("system information")?;
    let state = unpickle(&mut rest).context("state dict")?;
    let layouts = state.layouts()?;
    let keys = unpickle(&mut rest).context("list of storages")?;
    let storages = read_storages(&mut rest, &keys.texts()?)?;
    ensure!(rest.is_empty(), "{} bytes are left over", rest.len());
    let mut tensors = Tensors::default();
    for (name, layout) in layouts {
        let storage = storages.get(&layout.key).with_context(|| format!("{name} has no storage"))?;
        let values = gather(storage, &layout).with_context(|| format!("tensor {name}"))?;
        tensors.floats(&name, &layout.shape, &values)?;
    }
    Ok(tensors)
}

fn read_storages(rest: &mut &[u8], keys: &[String]) -> Result<BTreeMap<String, Vec<f32>>> {
    let mut storages = BTreeMap::new();
    for key in keys {
        let count = take(rest, 8)?.try_into().map(u64::from_le_bytes).context("storage length")?;
        let len = usize::try_from(count).ok().and_then(|n| n.checked_mul(4)).context("a storage is too long")?;
        let values: Vec<f32> = take(rest, len)?.as_chunks::<4>().0.iter().map(|q| f32::from_le_bytes(*q)).collect();
        ensure!(values.iter().all(|v| v.is_finite()), "a weight is not finite");
        storages.insert(key.clone(), values);
    }
    Ok(storages)
}

/// The values in row-major order.
fn gather(storage: &[f32], layout: &Layout) -> Result<Vec<f32>> {
    let count = layout
        .shape
        .iter()
        .try_fold(1usize, |all, side| all.checked_mul(*side))
        .filter(|n| *n <= storage.len())
        .context("larger than its storage")?;
    let mut values = Vec::with_capacity(count);
    for flat in 0..count {
        let (mut left, mut at) = (flat, layout.offset);
        for (side, stride) in layout.shape.iter().zip(&layout.strides).rev() {
            let step = (left % side).checked_mul(*stride).context("a stride overflows")?;
            at = at.checked_add(step).context("a stride overflows")?;
            left /= side;
        }
        values.push(*storage.get(at).context("reaches past its storage")?);
    }
    Ok(values)
}

/// What one pickle told.
struct Pickle {
    arena: Vec<Value>,
    top: Id,
}

impl Pickle {
    fn get(&self, id: Id) -> Result<&Value> {
        self.arena.get(id).context("a value is missing")
    }

    fn top(&self) -> Result<&Value> {
        self.get(self.top)
    }

    fn text(&self, id: Id) -> Result<&str> {
        match self.get(id)? {
            Value::Text(text) => Ok(text),
            other => bail!("{other:?} is no text"),
        }
    }

    fn tuple(&self, id: Id) -> Result<&[Id]> {
        match self.get(id)? {
            Value::Tuple(items) => Ok(items),
            other => bail!("{other:?} is no tuple"),
        }
    }

    fn sizes(&self, id: Id) -> Result<Vec<usize>> {
        let size = |id: &Id| match self.get(*id)? {
            Value::Int(n) => usize::try_from(*n).context("a negative size"),
            other => bail!("{other:?} is no size"),
        };
        self.tuple(id)?.iter().map(size).collect()
    }

    fn texts(&self) -> Result<Vec<String>> {
        let Value::List(items) = self.top()? else { bail!("the storages are no list") };
        items.iter().map(|id| self.text(*id).map(str::to_owned)).collect()
    }

    fn is_global(&self, id: Id, name: &str) -> bool {
        self.get(id).is_ok_and(|value| *value == Value::Global(name.to_owned()))
    }

    /// The tensors of a state dict: `OrderedDict` filled with `name: _rebuild_tensor_v2(...)`.
    fn layouts(&self) -> Result<Vec<(String, Layout)>> {
        let Value::Dict(items) = self.top()? else { bail!("the state is no dict") };
        items.iter().map(|(name, tensor)| Ok((self.text(*name)?.to_owned(), self.layout(*tensor)?))).collect()
    }

    fn layout(&self, id: Id) -> Result<Layout> {
        let Value::Call(function, arguments) = self.get(id)? else { bail!("an entry is no tensor") };
        ensure!(self.is_global(*function, "torch._utils _rebuild_tensor_v2"), "an entry is no tensor");
        let [storage, offset, shape, strides, ..] = self.tuple(*arguments)? else { bail!("a tensor lacks its layout") };
        let Value::Persistent(told) = self.get(*storage)? else { bail!("a tensor has no storage") };
        let [mark, kind, key, ..] = self.tuple(*told)? else { bail!("a storage lacks its key") };
        ensure!(self.text(*mark)? == "storage" && self.is_global(*kind, "torch FloatStorage"), "not a float storage");
        let Value::Int(offset) = self.get(*offset)? else { bail!("a tensor has no offset") };
        let layout = Layout {
            key: self.text(*key)?.to_owned(),
            offset: usize::try_from(*offset).context("a negative offset")?,
            shape: self.sizes(*shape)?,
            strides: self.sizes(*strides)?,
        };
        ensure!(layout.shape.len() == layout.strides.len(), "shape and strides differ in length");
        Ok(layout)
    }
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(len).context("the file ends early")?;
    *rest = tail;
    Ok(head)
}

fn take_number(rest: &mut &[u8], len: usize) -> Result<usize> {
    let value = take(rest, len)?.iter().rev().fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
    usize::try_from(value).context("a number is out of range")
}

fn take_line(rest: &mut &[u8]) -> Result<String> {
    let len = rest.iter().position(|b| *b == b'\n').context("a line does not end")?;
    let line = std::str::from_utf8(take(rest, len)?).context("a name is not UTF-8")?.to_owned();
    take(rest, 1)?;
    Ok(line)
}

/// The machine of one pickle.
#[derive(Default)]
struct Machine {
    arena: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: BTreeMap<usize, Id>,
}

fn unpickle(rest: &mut &[u8]) -> Result<Pickle> {
    let mut machine = Machine::default();
    loop {
        let [opcode] = *take(rest, 1)? else { bail!("the file ends early") };
        if opcode == b'.' {
            let top = machine.pop()?;
            return Ok(Pickle { arena: machine.arena, top });
        }
        machine.step(opcode, rest).with_context(|| format!("opcode 0x{opcode:02x}"))?;
    }
}

impl Machine {
    fn push(&mut self, value: Value) {
        self.stack.push(self.arena.len());
        self.arena.push(value);
    }

    fn pop(&mut self) -> Result<Id> {
        ensure!(self.marks.last().is_none_or(|mark| *mark < self.stack.len()), "the stack is empty");
        self.stack.pop().context("the stack is empty")
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>> {
        let mark = self.marks.pop().context("no mark")?;
        ensure!(mark <= self.stack.len(), "a mark is lost");
        Ok(self.stack.split_off(mark))
    }

    fn step(&mut self, opcode: u8, rest: &mut &[u8]) -> Result<()> {
        match opcode {
            // PROTO
            0x80 => ensure!(take(rest, 1)? == [2], "pickle protocol is not 2"),
            // Literals: NONE, NEWTRUE, NEWFALSE, BININT1, BININT2, BININT, LONG1, BINUNICODE, GLOBAL
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool),
            b'K' | b'M' => {
                let number = take_number(rest, if opcode == b'K' { 1 } else { 2 })?;
                self.push(Value::Int(i64::try_from(number)?));
            }
            b'J' => {
                let number = take(rest, 4)?.try_into().map(i32::from_le_bytes)?;
                self.push(Value::Int(number.into()));
            }
            0x8a => {
                let len = take_number(rest, 1)?;
                let bytes = take(rest, len)?.to_vec();
                self.push(Value::Long(bytes));
            }
            b'X' => {
                let len = take_number(rest, 4)?;
                let text = std::str::from_utf8(take(rest, len)?).context("a text is not UTF-8")?.to_owned();
                self.push(Value::Text(text));
            }
            b'c' => {
                let name = format!("{} {}", take_line(rest)?, take_line(rest)?);
                let known = ["collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch FloatStorage"];
                ensure!(known.contains(&name.as_str()), "{name:?} is not allowed");
                self.push(Value::Global(name));
            }
            // Containers: EMPTY_TUPLE, EMPTY_LIST, EMPTY_DICT, MARK, TUPLE, TUPLE1..3
            b')' => self.push(Value::Tuple(Vec::new())),
            b']' => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            b'(' => self.marks.push(self.stack.len()),
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Tuple(items));
            }
            0x85..=0x87 => {
                let mut items = (0x85..=opcode).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
                items.reverse();
                self.push(Value::Tuple(items));
            }
            _ => return self.act(opcode, rest),
        }
        Ok(())
    }

    /// Opcodes that work on what is already there.
    fn act(&mut self, opcode: u8, rest: &mut &[u8]) -> Result<()> {
        match opcode {
            // APPEND, APPENDS
            b'a' | b'e' => {
                let items = if opcode == b'a' { vec![self.pop()?] } else { self.pop_to_mark()? };
                match self.target()? {
                    Value::List(list) => list.extend(items),
                    other => bail!("{other:?} is no list"),
                }
            }
            // SETITEM, SETITEMS
            b's' | b'u' => {
                let items = if opcode == b's' {
                    let value = self.pop()?;
                    vec![self.pop()?, value]
                } else {
                    self.pop_to_mark()?
                };
                let (pairs, odd) = items.as_chunks::<2>();
                ensure!(odd.is_empty(), "a key without a value");
                match self.target()? {
                    Value::Dict(dict) => dict.extend(pairs.iter().map(|[key, value]| (*key, *value))),
                    other => bail!("{other:?} is no dict"),
                }
            }
            // BINPUT, LONG_BINPUT, BINGET, LONG_BINGET
            b'q' | b'r' => {
                let slot = take_number(rest, if opcode == b'q' { 1 } else { 4 })?;
                let id = *self.stack.last().context("the stack is empty")?;
                self.memo.insert(slot, id);
            }
            b'h' | b'j' => {
                let slot = take_number(rest, if opcode == b'h' { 1 } else { 4 })?;
                self.stack.push(*self.memo.get(&slot).context("the memo is empty")?);
            }
            // BINPERSID
            b'Q' => {
                let told = self.pop()?;
                self.push(Value::Persistent(told));
            }
            // REDUCE: an OrderedDict becomes a dict, anything else stays told.
            b'R' => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                let is_dict = self.arena.get(function) == Some(&Value::Global("collections OrderedDict".into()));
                self.push(if is_dict { Value::Dict(Vec::new()) } else { Value::Call(function, arguments) });
            }
            // BUILD sets attributes (the state dict's `_metadata`), which we do not need.
            b'b' => {
                self.pop()?;
            }
            other => bail!("opcode 0x{other:02x} is not allowed"),
        }
        Ok(())
    }

    /// The value on top of the stack, to be added to.
    fn target(&mut self) -> Result<&mut Value> {
        let id = *self.stack.last().context("the stack is empty")?;
        self.arena.get_mut(id).context("a value is missing")
    }
}
