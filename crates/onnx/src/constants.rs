//! Where constants lie: inside the model's file or in files beside it, mapped and never copied.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

use webnn_core::{Bytes, Storage};
use webnn_file::MappedFile;

use crate::elem::ElemType;
use crate::error::{Outcome, fault, require};
use crate::known::{Array, Known, count, small_count};
use crate::tensor::size_of;
use crate::wire::{SparseTensorProto, StringStringEntryProto, TensorProto};

/// The files that a model's constants lie in.
#[derive(Debug)]
pub(crate) struct Constants {
    /// The model's own file, where it was opened as one.
    file: Option<Arc<MappedFile>>,
    /// The folder that holds the model; nothing outside is read.
    folder: Option<PathBuf>,
    /// Files of external data by the name that the model gives them.
    external: Mutex<HashMap<String, Arc<MappedFile>>>,
    /// Files of external data that the caller holds in memory.
    given: HashMap<String, Arc<Vec<u8>>>,
}

/// A decoded byte string as constant storage, for models that were not opened from a file.
struct Shared(bytes::Bytes);

impl Storage for Shared {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Constants {
    pub(crate) fn new(file: Option<Arc<MappedFile>>, folder: Option<PathBuf>) -> Constants {
        Constants { file, folder, external: Mutex::default(), given: HashMap::new() }
    }

    /// Where there are no files but those that the caller holds.
    pub(crate) fn in_memory(files: HashMap<String, Vec<u8>>) -> Constants {
        let given = files.into_iter().map(|(name, bytes)| (name, Arc::new(bytes))).collect();
        Constants { file: None, folder: None, external: Mutex::default(), given }
    }

    /// The value of a constant of the file.
    pub(crate) fn tensor(&self, proto: &TensorProto) -> Outcome<Known> {
        let elem = ElemType::from_wire(proto.data_type.unwrap_or(0))?;
        let dims = dims_of(&proto.dims)?;
        if elem == ElemType::String {
            fault!(String, "a constant of strings");
        }
        if proto.data_location == Some(1) {
            let bytes = self.external(elem, &dims, &proto.external_data)?;
            return Known::from_bytes(elem, &dims, bytes);
        }
        let bytes = match &proto.raw_data {
            Some(raw) => self.raw(raw),
            None => typed(elem, proto)?.into(),
        };
        Known::from_bytes(elem, &dims, bytes)
    }

    /// The slice of the mapped file that the bytes are.
    fn raw(&self, raw: &bytes::Bytes) -> Bytes {
        let whole = |storage: Arc<dyn Storage>, range| Bytes::slice_of(storage, range);
        let mapped = self.file.as_ref().and_then(|file| {
            let range = file.range_of(raw)?;
            whole(file.clone(), range)
        });
        let shared = || whole(Arc::new(Shared(raw.clone())), 0..raw.len());
        mapped.or_else(shared).unwrap_or_else(|| Vec::new().into())
    }

    fn external(
        &self,
        elem: ElemType,
        dims: &[u32],
        entries: &[StringStringEntryProto],
    ) -> Outcome<Bytes> {
        let entry = |key: &str| {
            let found = entries.iter().find(|entry| entry.key.as_deref() == Some(key));
            found.and_then(|entry| entry.value.as_deref())
        };
        let number = |key: &str| match entry(key).map(str::parse::<usize>) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => fault!(Invalid, "external data has {key} {:?}", entry(key)),
        };
        let Some(location) = entry("location") else {
            fault!(Invalid, "external data names no file");
        };
        let expected = elem.byte_length(count(dims)?).and_then(|n| usize::try_from(n).ok());
        let Some(expected) = expected else { fault!(Limit, "{elem}{dims:?} is too large") };
        let length = number("length")?.unwrap_or(expected);
        require!(
            length == expected,
            "external data has {length} bytes, expected {expected} for {elem}{dims:?}"
        );
        let start = number("offset")?.unwrap_or(0);
        if length == 0 {
            return Ok(Vec::new().into());
        }
        let given = self.given.get(location.strip_prefix("./").unwrap_or(location));
        let file: Arc<dyn Storage> = match given {
            Some(bytes) => bytes.clone(),
            None => self.open(location)?,
        };
        let size = file.bytes().len();
        let range = start.checked_add(length).map(|end| start..end);
        match range.and_then(|range| Bytes::slice_of(file, range)) {
            Some(bytes) => Ok(bytes),
            None => fault!(
                Invalid,
                "external data of {length} bytes at {start} lies outside {location:?}, which has {size}"
            ),
        }
    }

    /// Maps a file of external data once; it must be a regular file inside the model's folder.
    fn open(&self, location: &str) -> Outcome<Arc<MappedFile>> {
        let mut external = match self.external.lock() {
            Ok(external) => external,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some(file) = external.get(location) {
            return Ok(file.clone());
        }
        let Some(folder) = &self.folder else {
            fault!(Invalid, "external data in {location:?}, which was not given with the model");
        };
        let relative = Path::new(location);
        let inside = relative.components().all(|part| match part {
            Component::Normal(_) | Component::CurDir => true,
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => false,
        });
        require!(inside, "external data in {location:?}, expected a file in the model's folder");
        let path = folder.join(relative);
        let real = |path: &Path| match path.canonicalize() {
            Ok(path) => Ok(path),
            Err(error) => fault!(Invalid, "external data in {location:?}: {error}"),
        };
        // A symbolic link may lead outside although the name does not.
        require!(
            real(&path)?.starts_with(real(folder)?),
            "external data in {location:?} leads out of the model's folder"
        );
        let file = match MappedFile::open(&path) {
            Ok(file) => Arc::new(file),
            Err(error) => fault!(Invalid, "external data in {location:?}: {error}"),
        };
        external.insert(location.to_owned(), file.clone());
        Ok(file)
    }

    /// A sparse constant as a dense one.
    pub(crate) fn sparse(&self, proto: &SparseTensorProto) -> Outcome<Known> {
        let (Some(values), Some(indices)) = (&proto.values, &proto.indices) else {
            fault!(Invalid, "a sparse constant lacks values or indices");
        };
        let (values, indices) = (self.tensor(values)?.array()?, self.tensor(indices)?.array()?);
        let dims = dims_of(&proto.dims)?;
        let size = small_count(&dims)?;
        let count = values.data.len();
        let coordinates = indices.to_ints();
        let strides = crate::host::strides(&dims);
        let mut places = Vec::with_capacity(count);
        for i in 0..count {
            let place = if indices.dims.len() == 1 {
                coordinates.get(i).copied()
            } else {
                let row = coordinates.get(i * dims.len()..(i + 1) * dims.len());
                row.map(|row| row.iter().zip(&strides).map(|(x, &step)| x * step as i128).sum())
            };
            match place.and_then(|place| usize::try_from(place).ok()) {
                Some(place) if place < size => places.push(place),
                _outside => fault!(Invalid, "a sparse constant's indices lie outside {dims:?}"),
            }
        }
        let zeros = Array::filled(values.elem, &dims, 0.0)?;
        Ok(crate::host::replaced(&zeros, &places, &values).into())
    }
}

fn dims_of(dims: &[i64]) -> Outcome<Vec<u32>> {
    dims.iter().map(|&size| size_of(size.into())).collect()
}

/// Elements that a file stores as numbers of the format, laid out as raw bytes are.
fn typed(elem: ElemType, proto: &TensorProto) -> Outcome<Vec<u8>> {
    use ElemType::*;
    let small = |size: usize| -> Vec<u8> {
        let values = proto.int32_data.iter();
        values.flat_map(|value| value.to_le_bytes().into_iter().take(size)).collect()
    };
    Ok(match elem {
        Float32 | Complex64 => proto.float_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Float64 | Complex128 => proto.double_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Int64 => proto.int64_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Uint64 => proto.uint64_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Uint32 => proto.uint64_data.iter().flat_map(|&v| (v as u32).to_le_bytes()).collect(),
        Int32 => small(4),
        Int16 | Uint16 | Float16 | Bfloat16 => small(2),
        Int8 | Uint8 | Bool | Float8E4M3 | Float8E4M3Uz | Float8E5M2 | Float8E5M2Uz
        | Float8E8M0 | Float6E2M3 | Float6E3M2 | Uint4 | Int4 | Float4E2M1 | Uint2 | Int2 => {
            small(1)
        }
        String => fault!(String, "a constant of strings"),
    })
}
