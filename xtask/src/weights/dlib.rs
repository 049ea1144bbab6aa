//! dlib's byte forms (`serialize.h`, `float_details.h`, `cuda/tensor.h`): integers, floats, strings, tensors, matrices.
//!
//! Owns the primitives only; what they mean is told by `net` and `predictor`. Every length is checked against the bytes
//! that are left before anything is allocated, so that a broken file costs an error, not memory.

use anyhow::{Context, Result, bail, ensure};

/// A cursor over the bytes of a `.dat` file.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    total: usize,
}

/// A raw tensor: samples, channels, rows, columns, and the values in that order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub(super) shape: [usize; 4],
    pub(super) data: Vec<f32>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, total: bytes.len() }
    }

    /// Where the cursor stands, for error messages.
    pub(super) fn position(&self) -> usize {
        self.total - self.rest.len()
    }

    /// Says that nothing may be left.
    pub(super) fn end(&self) -> Result<()> {
        ensure!(self.rest.is_empty(), "{} bytes are left over after the last record", self.rest.len());
        Ok(())
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (head, tail) = self
            .rest
            .split_at_checked(len)
            .with_context(|| format!("the file ends at byte {}, {len} more were announced", self.total))?;
        self.rest = tail;
        Ok(head)
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        self.take(1)?.first().copied().context("the file ends early")
    }

    /// An integer: control byte (sign, number of bytes), then the magnitude in little endian.
    pub(super) fn int(&mut self) -> Result<i64> {
        let control = self.byte()?;
        let len = usize::from(control & 0x0f);
        ensure!(
            control & 0x70 == 0 && (1..=8).contains(&len),
            "byte {}: 0x{control:02x} begins no integer",
            self.position()
        );
        let magnitude = self.take(len)?.iter().rev().fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
        let value = i64::try_from(magnitude).context("an integer is out of range")?;
        Ok(if control & 0x80 == 0 { value } else { -value })
    }

    /// A non-negative integer.
    pub(super) fn size(&mut self) -> Result<usize> {
        let value = self.int()?;
        usize::try_from(value).with_context(|| format!("byte {}: {value} is no size", self.position()))
    }

    /// The number of items of a list whose items take at least `least` bytes each.
    pub(super) fn count(&mut self, least: usize) -> Result<usize> {
        let count = self.size()?;
        ensure!(
            count.checked_mul(least.max(1)).is_some_and(|bytes| bytes <= self.rest.len()),
            "byte {}: {count} items cannot be in the {} bytes that are left",
            self.position(),
            self.rest.len()
        );
        Ok(count)
    }

    pub(super) fn bool(&mut self) -> Result<bool> {
        match self.byte()? {
            b'1' => Ok(true),
            b'0' => Ok(false),
            other => bail!("byte {}: 0x{other:02x} is no boolean", self.position()),
        }
    }

    pub(super) fn string(&mut self) -> Result<&'a str> {
        let len = self.count(1)?;
        std::str::from_utf8(self.take(len)?).context("a string is not UTF-8")
    }

    /// A float or double: mantissa first, then the exponent of two.
    pub(super) fn float(&mut self) -> Result<f64> {
        let mantissa = self.int()?;
        let exponent = self.int()?;
        match exponent {
            32_000 => Ok(f64::INFINITY),
            32_001 => Ok(f64::NEG_INFINITY),
            32_002 => Ok(f64::NAN),
            -1100..=1100 => {
                // Two steps, so that the power itself stays a normal number.
                let half = i32::try_from(exponent / 2).context("exponent")?;
                let other = i32::try_from(exponent).context("exponent")? - half;
                // Mantissas have at most 53 bits: the cast is exact for every value dlib writes.
                Ok(mantissa as f64 * 2f64.powi(half) * 2f64.powi(other))
            }
            other => bail!("byte {}: {other} is no exponent", self.position()),
        }
    }

    /// A float that must be a usable weight.
    pub(super) fn weight(&mut self) -> Result<f32> {
        let value = self.float()? as f32;
        ensure!(value.is_finite(), "byte {}: a weight is not finite", self.position());
        Ok(value)
    }

    pub(super) fn tensor(&mut self) -> Result<Tensor> {
        let version = self.int()?;
        ensure!(version == 2, "byte {}: tensor version {version} is unknown", self.position());
        let shape = [self.size()?, self.size()?, self.size()?, self.size()?];
        let bytes =
            shape.iter().try_fold(4usize, |all, side| all.checked_mul(*side)).context("a tensor's size overflows")?;
        let data: Vec<f32> =
            self.take(bytes)?.as_chunks::<4>().0.iter().map(|quad| f32::from_le_bytes(*quad)).collect();
        Ok(Tensor { shape, data })
    }

    /// A tensor that must hold usable weights.
    pub(super) fn weights(&mut self) -> Result<Tensor> {
        let tensor = self.tensor()?;
        ensure!(tensor.data.iter().all(|v| v.is_finite()), "byte {}: a weight is not finite", self.position());
        Ok(tensor)
    }

    /// The shape of a view into a layer's parameters.
    pub(super) fn alias(&mut self) -> Result<[usize; 4]> {
        let version = self.int()?;
        ensure!(version == 1, "byte {}: alias version {version} is unknown", self.position());
        Ok([self.size()?, self.size()?, self.size()?, self.size()?])
    }

    /// A column of `len` floats (`matrix<float,0,1>`; dimensions are written negated).
    pub(super) fn column(&mut self) -> Result<Vec<f32>> {
        let rows = self.int()?;
        let columns = self.int()?;
        ensure!(columns == -1 && rows <= 0, "byte {}: {rows}x{columns} is no column", self.position());
        let rows = usize::try_from(-rows).context("rows")?;
        ensure!(
            rows.checked_mul(4).is_some_and(|bytes| bytes <= self.rest.len()),
            "byte {}: a column of {rows} does not fit in what is left",
            self.position()
        );
        (0..rows).map(|_| self.weight()).collect()
    }
}
