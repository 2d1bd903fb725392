//! Kernels for single precision on operands of half precision: widened before, narrowed after.

use half::f16;
use webnn_core::{DataType, Graph, ValueId};
use webnn_kernels::buffer::{ALIGN, Scratch};
use webnn_kernels::{Isa, convert};

use crate::io::{Base, Io, Memory, Place, Places};
use crate::kernel::{Built, Kernel};
use crate::threads::Threads;

/// The most operands and results of a wrapped kernel.
const MAX_BASES: usize = 32;

/// Fewer elements are converted by one thread.
const LEAST: usize = 1 << 14;

struct Half {
    inner: Box<dyn Kernel>,
    /// The inner kernel's: base 0 is this kernel's scratch, then come operands and results.
    places: Places,
    /// For each operand and each result: where its floats lie in scratch, if it is of halves.
    reads: Vec<Option<Place>>,
    writes: Vec<Option<Place>>,
    bytes: usize,
    isa: Isa,
}

/// Wraps a kernel that was built for single precision; `None` where it touches too many values.
pub(crate) fn wrap(built: Built, graph: &Graph, threads: usize, isa: Isa) -> Option<Built> {
    let Built { kernel: inner, reads, writes } = built;
    if 1 + reads.len() + writes.len() > MAX_BASES {
        return None;
    }
    let mut bytes = 0;
    let mut bases = vec![0];
    let mut place = |&id: &ValueId| {
        let desc = graph.desc(id);
        let size = desc.byte_length() as usize;
        bases.push(size);
        if desc.data_type != DataType::Float16 {
            return (Place { base: bases.len() - 1, offset: 0, bytes: size }, None);
        }
        let place = Place { base: 0, offset: bytes, bytes: 2 * size };
        bytes = (bytes + 2 * size).next_multiple_of(ALIGN);
        (place, Some(place))
    };
    let (read_places, half_reads): (Vec<Place>, Vec<Option<Place>>) =
        reads.iter().map(&mut place).unzip();
    let (write_places, half_writes): (Vec<Place>, Vec<Option<Place>>) =
        writes.iter().map(&mut place).unzip();
    let scratch = Place { base: 0, offset: bytes, bytes: inner.scratch_bytes(threads) };
    let bytes = bytes + scratch.bytes;
    bases[0] = bytes;
    let places =
        Places::new(read_places, write_places, scratch, &bases).expect("places follow one another");
    let kernel = Half { inner, places, reads: half_reads, writes: half_writes, bytes, isa };
    Some(Built { kernel: Box::new(kernel), reads, writes })
}

impl Kernel for Half {
    fn scratch_bytes(&self, _threads: usize) -> usize {
        self.bytes
    }

    fn packed_bytes(&self) -> usize {
        self.inner.packed_bytes()
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let scratch = io.scratch();
        let mut bases = [Base::NONE; MAX_BASES];
        for (i, place) in self.reads.iter().enumerate() {
            match place {
                Some(place) => {
                    let from = io.read::<f16>(i);
                    threads.rows(floats(scratch, *place), 1, LEAST, |range, to| {
                        convert::f16_to_f32(self.isa, &from[range], to);
                    });
                }
                None => bases[1 + i] = Base::shared(io.read(i)),
            }
        }
        let first = 1 + self.reads.len();
        let mut halves: [Option<&mut [f16]>; MAX_BASES] = std::array::from_fn(|_| None);
        for (i, place) in self.writes.iter().enumerate() {
            match place {
                Some(_) => halves[i] = Some(io.write(i)),
                None => bases[first + i] = Base::exclusive(io.write(i)),
            }
        }
        bases[0] = Base::exclusive(scratch);
        {
            // SAFETY: scratch and the results are borrowed exclusively, the operands shared, until
            // the end of this block, where nothing else uses them.
            let mut memory = unsafe { Memory::new(&bases) };
            self.inner.run(&mut memory.io(&self.places), threads);
        }
        for (place, half) in self.writes.iter().zip(&mut halves) {
            if let (Some(place), Some(half)) = (place, half) {
                let from: &[f32] = floats(scratch, *place);
                threads.rows(half, 1, LEAST, |range, to| {
                    convert::f32_to_f16(self.isa, &from[range], to);
                });
            }
        }
    }
}

/// The floats at a place in scratch, which is aligned for them.
fn floats(scratch: &mut [u8], place: Place) -> &mut [f32] {
    let bytes = &mut scratch[place.offset..place.offset + place.bytes];
    Scratch::new(bytes).take(place.bytes / size_of::<f32>())
}
