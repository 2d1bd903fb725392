//! A compiled graph: steps over an arena, and how they are run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use webnn_core::{Bytes, Desc, Result, ensure};
use webnn_kernels::buffer::Buffer;

use crate::io::{Base, Memory, Places};
use crate::kernel::Kernel;
use crate::tensor::Tensor;
use crate::threads::Threads;

/// A named input or output of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The name.
    pub name: String,
    /// Type and shape.
    pub desc: Desc,
}

/// What a step does, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct StepInfo {
    /// The methods of the nodes that the step computes, in order.
    pub ops: String,
    /// The label of the node that matters most; empty where the caller gave none.
    pub label: String,
    /// The kind of group.
    pub pattern: &'static str,
    /// Multiplications and additions, about.
    pub flops: u64,
    /// What they are of.
    pub arithmetic: Arithmetic,
    /// The bytes that are read and written, constants included.
    pub bytes: u64,
    /// How many of them are constants: what is read again in every run, and nowhere else in it.
    pub constant_bytes: u64,
}

/// What a step multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// Floats.
    Float,
    /// 8-bit integers, summed in 32 bits.
    Int8,
}

/// How much memory a program takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// The arena: the most that values and working memory take at once.
    pub arena_bytes: usize,
    /// Constants in the form in which kernels read them.
    pub packed_bytes: usize,
    /// Constants that are read where they lie.
    pub shared_bytes: usize,
    /// Constants that had to be copied to be aligned.
    pub copied_bytes: usize,
}

impl Stats {
    /// All memory but that of the bound tensors.
    pub fn peak_bytes(&self) -> usize {
        self.arena_bytes + self.packed_bytes + self.shared_bytes + self.copied_bytes
    }
}

/// The time that each step of one run took, in the order of [`Program::steps`].
pub type Profile = Vec<Duration>;

/// A constant that steps read at run time.
pub(crate) enum Constant {
    /// Where it has always been.
    Shared(Bytes),
    /// A copy that is aligned for its elements.
    Copied(Buffer<u8>),
}

/// One kernel with its places.
pub(crate) struct Step {
    pub(crate) kernel: Box<dyn Kernel>,
    pub(crate) places: Places,
}

/// A compiled graph. Runs from several threads take turns.
pub struct Program {
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    steps: Vec<Step>,
    infos: Vec<StepInfo>,
    stats: Stats,
    threads: Arc<Threads>,
    /// What the bases of constants point to.
    constants: Vec<Constant>,
    state: Mutex<State>,
}

/// What a run changes.
struct State {
    arena: Buffer<u8>,
    /// Arena, inputs, outputs, constants.
    bases: Vec<Base>,
}

/// What a compiler hands over.
pub(crate) struct Parts {
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
    pub(crate) steps: Vec<Step>,
    pub(crate) infos: Vec<StepInfo>,
    pub(crate) constants: Vec<Constant>,
    pub(crate) stats: Stats,
    pub(crate) threads: Arc<Threads>,
}

impl Program {
    pub(crate) fn new(parts: Parts) -> Program {
        let Parts { inputs, outputs, steps, infos, constants, stats, threads } = parts;
        let mut bases = vec![Base::NONE; 1 + inputs.len() + outputs.len()];
        bases.extend(constants.iter().map(|constant| match constant {
            Constant::Shared(bytes) => Base::shared(bytes),
            Constant::Copied(buffer) => Base::shared(buffer),
        }));
        let state = Mutex::new(State { arena: Buffer::zeroed(stats.arena_bytes), bases });
        Program { inputs, outputs, steps, infos, stats, threads, constants, state }
    }

    /// What goes in, in the order in which [`Program::run`] takes it.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// What comes out, in the order in which [`Program::run`] takes it.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// What each step does.
    pub fn steps(&self) -> &[StepInfo] {
        &self.infos
    }

    /// The memory that the program takes.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Computes the outputs from the inputs. Fails only when a tensor is not what the program's
    /// ports say.
    pub fn run(&self, inputs: &[&Tensor], outputs: &mut [&mut Tensor]) -> Result<()> {
        self.run_steps(inputs, outputs, |step, memory, threads| {
            step.kernel.run(&mut memory.io(&step.places), threads);
        })
    }

    /// The same, and the time that each step took.
    pub fn run_profiled(&self, inputs: &[&Tensor], outputs: &mut [&mut Tensor]) -> Result<Profile> {
        let mut profile = Vec::with_capacity(self.steps.len());
        self.run_steps(inputs, outputs, |step, memory, threads| {
            let start = Instant::now();
            step.kernel.run(&mut memory.io(&step.places), threads);
            profile.push(start.elapsed());
        })?;
        Ok(profile)
    }

    fn run_steps(
        &self,
        inputs: &[&Tensor],
        outputs: &mut [&mut Tensor],
        mut run: impl FnMut(&Step, &mut Memory<'_>, &Threads),
    ) -> Result<()> {
        check("input", &self.inputs, inputs.iter().map(|tensor| tensor.desc()))?;
        check("output", &self.outputs, outputs.iter().map(|tensor| tensor.desc()))?;
        let mut state = self.lock();
        let State { arena, bases } = &mut *state;
        bases[0] = Base::exclusive(arena);
        let bound = &mut bases[1..];
        for (base, input) in bound.iter_mut().zip(inputs) {
            *base = Base::shared(input);
        }
        for (base, output) in bound[inputs.len()..].iter_mut().zip(outputs) {
            *base = Base::exclusive(output);
        }
        // SAFETY: arena and tensors are borrowed until this function returns, and the constants
        // live as long as `self`; each exclusive one comes from a borrow of its own.
        let mut memory = unsafe { Memory::new(bases) };
        for step in &self.steps {
            run(step, &mut memory, &self.threads);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A run that panicked leaves values in the arena that the next run writes anew.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of constants that runs read where they lie.
    pub fn constants(&self) -> usize {
        self.constants.len()
    }
}

/// Fails unless there is a tensor of the right type and shape for each port.
fn check<'a>(
    what: &str,
    ports: &[Port],
    descs: impl ExactSizeIterator<Item = &'a Desc>,
) -> Result<()> {
    ensure!(
        descs.len() == ports.len(),
        "{} {what}s were given, expected {}",
        descs.len(),
        ports.len()
    );
    for (port, desc) in ports.iter().zip(descs) {
        ensure!(*desc == port.desc, "{what} {:?} is {desc}, expected {}", port.name, port.desc);
    }
    Ok(())
}
