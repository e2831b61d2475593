"""Compiled code that is entered by addresses: made by LLVM at its first call, kept on disk, loaded without numba.

LLVM comes with numba (llvmlite). What numba itself would take 25 s to compile takes 3 s this way, and .01 s to load.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeVar

from canary.compiled import cache_folder, is_own

F = TypeVar("F", bound=Callable[..., Any])
_COMPILERS: Final = ("native.py", "lowering.py", "operations.py", "blocks.py")
MARK: Final = 32  # bytes of a digest before the code


def inner(function: F) -> F:
    """Mark a function that compiled code alone calls; where it is worth it, it is compiled into its callers."""
    function.__dict__["hints"] = ()
    return function


def apart(function: F) -> F:
    """Mark a function that compiled code alone calls, and that is compiled once, however many call it."""
    function.__dict__["hints"] = ("noinline",)
    return function


@cache
def is_native() -> bool:
    """Tell whether what compiles and loads is installed."""
    return find_spec("llvmlite") is not None


@cache
def has_cipher() -> bool:
    """Tell whether compiled code runs here, and may use the processor's own AES."""
    if not is_native():
        return False
    features = import_module("llvmlite.binding").get_host_cpu_features()
    arm = platform.machine().lower() in ("arm64", "aarch64")
    return bool(features.get("aes")) or (arm and bool(features.get("crypto", False)))


class Entry:
    """A function of a module by which compiled code is entered: it takes whole numbers and gives nothing.

    The object code is kept in the user's cache folder under a digest of its `sources` (patterns of files beside that
    module), of what compiles them and of the processor. Where it stands, the module itself is never imported.
    """

    def __init__(self, module: str, name: str, parameters: int, sources: Sequence[str]) -> None:
        self._module, self._name, self._parameters, self._sources = module, name, parameters, sources
        self._made: Callable[..., None] | None = None
        self._engine: Any = None  # owns the code
        self._loading = threading.Lock()

    def __call__(self, *args: int) -> None:
        """Run it; other threads go on meanwhile."""
        made = self._made
        if made is None:
            with self._loading:  # were it loaded twice, the first code would go while it runs
                made = self._made = self._made or self._loaded()
        made(*args)

    def _loaded(self) -> Callable[..., None]:
        binding = import_module("llvmlite.binding")
        folder = cache_folder()
        path = Path(folder, f"{self._name}-{self._digest(binding)}.o") if folder else None
        code = _kept(path) if path is not None else None
        if code is None:
            code = code_of(getattr(import_module(self._module), self._name))
            if path is not None:
                with suppress(OSError):
                    _keep(path, code)
        self._engine, made = loaded(code, self._name, self._parameters)
        return made

    def _digest(self, binding: Any) -> str:
        """Digest the sources of the code, what compiles it, and the processor."""
        found = find_spec(self._module)
        assert found is not None  # noqa: S101
        folder = Path(str(found.origin)).parent
        own = [path for pattern in self._sources for path in sorted(folder.glob(pattern))]
        digest = hashlib.sha256()
        shared = (Path(__file__).with_name(name) for name in _COMPILERS)
        for path in [*own, *shared]:
            digest.update(path.read_bytes())
        said = (import_module("llvmlite").__version__, binding.get_host_cpu_name(), _features(binding))
        digest.update(repr(said).encode())
        return digest.hexdigest()[:16]


def code_of(function: Callable[..., None]) -> bytes:
    """Compile a function with all that it calls to object code of this processor."""
    from canary.lowering import Unit

    binding = import_module("llvmlite.binding")
    machine = _machine(binding)
    unit = Unit(function.__module__)
    unit.lower(function, entry=True)
    module = binding.parse_assembly(str(unit.module))
    module.verify()
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    options = binding.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
    builder = binding.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    code: bytes = machine.emit_object(module)
    return code


def loaded(code: bytes, name: str, parameters: int) -> tuple[Any, Callable[..., None]]:
    """Load object code; gives what owns it, and the function of that name in it."""
    binding = import_module("llvmlite.binding")
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _machine(binding), use_lmm=True)
    engine.add_object_file(binding.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    kind = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * parameters)
    made: Callable[..., None] = kind(engine.get_function_address(name))
    return engine, made


@cache
def _features(binding: Any) -> str:
    features: str = binding.get_host_cpu_features().flatten()
    return features


def _machine(binding: Any) -> Any:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_triple(binding.get_process_triple())
    return target.create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=_features(binding),
        opt=2,
        reloc="pic",
        codemodel="small",
        jit=True,
    )


def _kept(path: Path) -> bytes | None:
    """Read kept code, None where there is none, it was not written whole, or others might have written it."""
    try:
        with path.open("rb") as file:
            data = file.read() if is_own(os.fstat(file.fileno())) else b""
    except OSError:
        return None
    return data[MARK:] if hashlib.sha256(data[MARK:]).digest() == data[:MARK] else None


def _keep(path: Path, code: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)  # of a process of the same number that was killed
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(hashlib.sha256(code).digest() + code)
    temporary.replace(path)
