//! `webnn bench-worker`: the benchmark harness's protocol, a line of JSON for a line of JSON.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use webnn::{Context, ContextOptions, DataType, Desc, DeviceType, Ml, Tensor, TensorDescriptor};

use crate::model::{Built, Model, Obstacle, Settled};
use crate::output::write_whole;
use crate::values::Numbers;

#[derive(Deserialize)]
#[serde(tag = "cmd", rename_all = "lowercase")]
enum Request {
    Init { threads: Option<usize> },
    Load { id: String, model: PathBuf, inputs: Vec<Input>, outputs: Vec<Output> },
    Run { id: String, warmup: u32, iters: u32 },
    Dump { id: String, dir: PathBuf, outputs: Option<Vec<Output>> },
    Unload { id: String },
    Exit,
}

#[derive(Clone, Deserialize)]
struct Input {
    name: String,
    shape: Vec<u32>,
    file: PathBuf,
}

#[derive(Clone, Deserialize)]
struct Output {
    name: String,
}

/// A model with its tensors.
struct Loaded {
    built: Built,
    inputs: Vec<(String, Tensor)>,
    outputs: Vec<(String, Tensor)>,
    /// The outputs as the harness named them.
    order: Vec<String>,
}

#[derive(Default)]
struct Worker {
    context: Option<Context>,
    models: HashMap<String, Loaded>,
}

pub(crate) fn run() -> Result<()> {
    let mut worker = Worker::default();
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let request = serde_json::from_str(&line).context("the request is not understood");
        let is_exit = matches!(request, Ok(Request::Exit));
        let answer = match request.and_then(|request| worker.answer(request)) {
            Ok(mut answer) => {
                answer["ok"] = true.into();
                answer
            }
            Err(error) => json!({ "ok": false, "error": format!("{error:#}") }),
        };
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{answer}")?;
        stdout.flush()?;
        if is_exit {
            return Ok(());
        }
    }
    Ok(())
}

impl Worker {
    fn answer(&mut self, request: Request) -> Result<Value> {
        match request {
            Request::Init { threads } => self.init(threads),
            Request::Load { id, model, inputs, outputs } => {
                self.load(id, &model, &inputs, &outputs)
            }
            Request::Run { id, warmup, iters } => self.run(&id, warmup, iters),
            Request::Dump { id, dir, outputs } => self.dump(&id, &dir, outputs),
            Request::Unload { id } => {
                self.models.remove(&id).with_context(|| format!("{id:?} is not loaded"))?;
                Ok(json!({}))
            }
            Request::Exit => Ok(json!({})),
        }
    }

    fn init(&mut self, threads: Option<usize>) -> Result<Value> {
        let from_environment = || std::env::var("BENCH_THREADS").ok()?.parse().ok();
        let options = ContextOptions {
            device_type: Some(DeviceType::Cpu),
            threads: threads.or_else(from_environment),
            ..ContextOptions::default()
        };
        let context = Ml::new().create_context(&options)?;
        let version = format!("{} {}", env!("CARGO_PKG_VERSION"), context.device().details);
        self.context = Some(context);
        Ok(json!({ "engine": "webnn", "version": version }))
    }

    fn load(
        &mut self,
        id: String,
        path: &Path,
        inputs: &[Input],
        outputs: &[Output],
    ) -> Result<Value> {
        let context = self.context.as_ref().context("init comes first")?;
        let start = Instant::now();
        let shapes = inputs.iter().map(|input| (input.name.clone(), input.shape.clone())).collect();
        let model = Model::open(path, &Settled { shapes, ..Settled::default() })?;
        let open = start.elapsed();
        let built = model.build(context).map_err(Obstacle::into_error)?;
        let load_ns = (open + built.import).as_nanos() as u64;
        let compile_ns = built.compile.as_nanos() as u64;

        let bind = |(name, desc): &(String, Desc)| {
            let input = inputs.iter().find(|input| input.name == *name);
            let input = input.with_context(|| format!("input {name:?} is missing"))?;
            let bytes = fs::read(&input.file).with_context(|| input.file.display().to_string())?;
            let tensor = context.create_tensor(&TensorDescriptor::from(*desc).writable())?;
            context.write_tensor(&tensor, &bytes)?;
            Ok((name.clone(), tensor))
        };
        let inputs = built.graph.inputs().iter().map(bind).collect::<Result<_>>()?;
        let result = |(name, desc): &(String, Desc)| {
            let tensor = context.create_tensor(&TensorDescriptor::from(*desc).readable())?;
            Ok((name.clone(), tensor))
        };
        let results = built.graph.outputs().iter().map(result).collect::<Result<_>>()?;
        let order = outputs.iter().map(|output| output.name.clone()).collect();
        self.models.insert(id, Loaded { built, inputs, outputs: results, order });
        Ok(json!({ "load_ns": load_ns, "compile_ns": compile_ns }))
    }

    fn loaded(&self, id: &str) -> Result<(&Context, &Loaded)> {
        let context = self.context.as_ref().context("init comes first")?;
        Ok((context, self.models.get(id).with_context(|| format!("{id:?} is not loaded"))?))
    }

    fn run(&self, id: &str, warmup: u32, iters: u32) -> Result<Value> {
        let (context, loaded) = self.loaded(id)?;
        for _ in 0..warmup {
            loaded.dispatch(context)?;
        }
        let mut times = Vec::with_capacity(iters as usize);
        let cpu = cpu_time();
        for _ in 0..iters {
            let start = Instant::now();
            loaded.dispatch(context)?;
            times.push(start.elapsed().as_nanos() as u64);
        }
        let mut answer = json!({ "ns": times });
        if let (Some(before), Some(after)) = (cpu, cpu_time()) {
            answer["cpu_ns"] = (after - before).into();
        }
        Ok(answer)
    }

    fn dump(&self, id: &str, dir: &Path, outputs: Option<Vec<Output>>) -> Result<Value> {
        let (context, loaded) = self.loaded(id)?;
        loaded.dispatch(context)?;
        let order: Vec<String> = match outputs {
            Some(outputs) => outputs.into_iter().map(|output| output.name).collect(),
            None => loaded.order.clone(),
        };
        let mut list = Vec::new();
        for (i, name) in order.iter().enumerate() {
            let Some((_, tensor)) = loaded.outputs.iter().find(|(known, _)| known == name) else {
                bail!("there is no output {name:?}");
            };
            let mut bytes = context.read_tensor_blocking(tensor)?;
            // The harness counts memory: floats are written as they are.
            if tensor.desc().data_type != DataType::Float32 {
                let floats = Numbers::from_bytes(tensor.desc(), &bytes)?.to_floats();
                bytes = floats.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect();
            }
            let file = dir.join(format!("{i}.bin"));
            write_whole(&file, &bytes)?;
            list.push(json!({ "name": name, "dtype": "float32", "shape": &tensor.shape()[..],
                              "file": file }));
        }
        ensure!(!list.is_empty(), "there are no outputs");
        Ok(json!({ "outputs": list }))
    }
}

impl Loaded {
    fn dispatch(&self, context: &Context) -> Result<()> {
        fn named(tensors: &[(String, Tensor)]) -> Vec<(&str, &Tensor)> {
            tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect()
        }
        let (inputs, outputs) = (named(&self.inputs), named(&self.outputs));
        Ok(context.dispatch_blocking(&self.built.graph, &inputs, &outputs)?)
    }
}

/// The processor time of all threads so far, where the system tells it; in ticks of 10 ms.
fn cpu_time() -> Option<u64> {
    const TICK_NS: u64 = 10_000_000;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name in parentheses, which may hold blanks.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks * TICK_NS)
}
