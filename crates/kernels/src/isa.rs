//! Which instruction sets this CPU has, and which one the kernels use.

use std::sync::OnceLock;

/// An instruction set that kernels are written for, weakest first within an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// Portable Rust.
    Scalar,
    /// x86-64 with AVX2, FMA and F16C.
    Avx2,
    /// x86-64 with AVX-512 F, BW, VL, DQ and VNNI.
    Avx512,
    /// The same, and AMX for 8-bit integers: tiles of sums.
    Amx,
    /// The same, and AMX for products of floats, each cut into three of bfloat16. Only on demand:
    /// the least numbers of all become zero.
    AmxBf16,
    /// 64-bit Arm with NEON, half precision and dot product.
    Neon,
    /// WebAssembly with 128-bit SIMD, fixed when the module is built.
    Simd128,
}

/// Whether the set is fixed when the program is built: a page has no environment that could ask for
/// a weaker one, so the code for that is left out of what it downloads. Nor may portable code be
/// compiled for relaxed SIMD, as LLVM 22 turns comparisons into what loses NaN.
pub(crate) const FIXED: bool = cfg!(all(
    target_arch = "wasm32",
    any(all(target_os = "unknown", target_feature = "simd128"), target_feature = "relaxed-simd")
));

impl Isa {
    /// All instruction sets, weakest first.
    pub const ALL: [Isa; 7] =
        [Isa::Scalar, Isa::Avx2, Isa::Avx512, Isa::Amx, Isa::AmxBf16, Isa::Neon, Isa::Simd128];

    /// The name that `WEBNN_ISA` takes.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
            Isa::Amx => "amx",
            Isa::AmxBf16 => "amx_bf16",
            Isa::Neon => "neon",
            Isa::Simd128 => "simd128",
        }
    }

    /// The set that it adds to: what has no code of its own uses that one's.
    pub(crate) const fn weaker(self) -> Option<Isa> {
        match self {
            Isa::AmxBf16 => Some(Isa::Amx),
            Isa::Amx => Some(Isa::Avx512),
            Isa::Avx512 => Some(Isa::Avx2),
            Isa::Avx2 | Isa::Neon | Isa::Simd128 => Some(Isa::Scalar),
            Isa::Scalar => None,
        }
    }

    /// The set and those that it adds to, strongest first.
    pub(crate) fn and_weaker(self) -> impl Iterator<Item = Isa> {
        std::iter::successors(Some(self), |isa| isa.weaker())
    }

    /// Whether there are 32 registers of vectors rather than 16.
    pub(crate) const fn has_many_registers(self) -> bool {
        match self {
            Isa::Avx512 | Isa::Amx | Isa::AmxBf16 | Isa::Neon => true,
            Isa::Scalar | Isa::Avx2 | Isa::Simd128 => false,
        }
    }

    /// Whether this machine can run code for the instruction set.
    pub fn is_available(self) -> bool {
        match self {
            Isa::Scalar => !FIXED,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("f16c")
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                Isa::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Amx | Isa::AmxBf16 => Isa::Avx512.is_available() && crate::amx::is_usable(),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => {
                std::arch::is_aarch64_feature_detected!("neon")
                    && std::arch::is_aarch64_feature_detected!("fp16")
                    && std::arch::is_aarch64_feature_detected!("dotprod")
            }
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Isa::Simd128 => true,
            #[allow(unreachable_patterns, reason = "the sets of other architectures")]
            _other => false,
        }
    }

    /// Whether it is faster than the weaker ones, as far as that depends on the machine.
    fn pays(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Amx => crate::gemm::int8::amx::pays(),
            // It is not as exact.
            Isa::AmxBf16 => false,
            _always => true,
        }
    }

    /// The instruction sets that this machine can run, weakest first.
    pub fn available() -> impl Iterator<Item = Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// The set that kernels use: the strongest one that pays, or the one that `WEBNN_ISA` names.
    ///
    /// The choice is made once per process. A name that is unknown or not available here is
    /// ignored; [`Isa::forced`] lets a program report it.
    pub fn best() -> Isa {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| match Isa::forced() {
            Some(Ok(isa)) => isa,
            Some(Err(_)) | None => {
                Isa::available().filter(|isa| isa.pays()).last().unwrap_or(Isa::Scalar)
            }
        })
    }

    /// What `WEBNN_ISA` asks for: nothing, a usable set, or a sentence that says why not.
    pub fn forced() -> Option<Result<Isa, String>> {
        let name = std::env::var("WEBNN_ISA").ok().filter(|name| !name.is_empty())?;
        let known = Isa::ALL.into_iter().find(|isa| isa.name() == name);
        Some(match known {
            Some(isa) if isa.is_available() => Ok(isa),
            Some(_) => Err(format!("WEBNN_ISA={name} is not available on this machine")),
            None => Err(format!(
                "WEBNN_ISA={name} is not known, expected one of scalar, avx2, avx512, amx, \
                 amx_bf16, neon, simd128"
            )),
        })
    }
}
