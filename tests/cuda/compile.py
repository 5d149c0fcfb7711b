"""Compiles each .cu file of a folder as CubeCL does, by NVRTC, and counts registers by ptxas.

    pip install nvidia-cuda-nvrtc-cu12 nvidia-cuda-nvcc-cu12 nvidia-cuda-runtime-cu12
    python3 tests/cuda/compile.py FOLDER

FOLDER has a sub-folder for each architecture (sm_80, sm_90a). Prints a line for each file: architecture,
name, registers, bytes of spill stores, bytes of spill loads. No GPU and no driver is needed.
"""

import ctypes
import pathlib
import re
import subprocess
import sys

import nvidia.cuda_nvcc
import nvidia.cuda_nvrtc
import nvidia.cuda_runtime


def package(module):
    """The folder of a package."""
    return pathlib.Path(next(iter(module.__path__)))


LIBRARY = next((package(nvidia.cuda_nvrtc) / "lib").glob("libnvrtc.so.*"))
PTXAS = package(nvidia.cuda_nvcc) / "bin" / "ptxas"
INCLUDES = [package(module) / "include" for module in (nvidia.cuda_runtime, nvidia.cuda_nvcc)]
nvrtc = ctypes.CDLL(str(LIBRARY))


def text(program, name):
    """What NVRTC keeps about a program: `ProgramLog` or `PTX`."""
    size = ctypes.c_size_t()
    getattr(nvrtc, f"nvrtcGet{name}Size")(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    getattr(nvrtc, f"nvrtcGet{name}")(program, buffer)
    return buffer.raw.rstrip(b"\0")


def ptx(source, architecture):
    """The PTX of a CUDA source."""
    program = ctypes.c_void_p()
    created = nvrtc.nvrtcCreateProgram(
        ctypes.byref(program), source.read_bytes(), None, 0, None, None
    )
    assert created == 0, f"nvrtcCreateProgram: {created}"
    options = [f"--gpu-architecture={architecture}", "-lineinfo"]
    options += [f"--include-path={folder}" for folder in INCLUDES]
    array = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    status = nvrtc.nvrtcCompileProgram(program, len(options), array)
    if status != 0:
        sys.exit(f"{source}: {text(program, 'ProgramLog').decode()}")
    return text(program, "PTX")


for source in sorted(pathlib.Path(sys.argv[1]).glob("*/*.cu")):
    architecture = source.parent.name
    file = source.with_suffix(".ptx")
    file.write_bytes(ptx(source, architecture))
    assembled = subprocess.run(
        [PTXAS, "-v", f"-arch={architecture}", file, "-o", source.with_suffix(".cubin")],
        capture_output=True,
        text=True,
        check=False,
    )
    if assembled.returncode != 0:
        sys.exit(f"{file}: {assembled.stderr}")
    registers = re.search(r"Used (\d+) registers", assembled.stderr).group(1)
    stores, loads = re.search(
        r"(\d+) bytes spill stores, (\d+) bytes spill loads", assembled.stderr
    ).groups()
    print(architecture, source.stem, registers, stores, loads)
