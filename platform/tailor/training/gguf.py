"""GGUF, the one file that llama.cpp and Ollama read, through llama.cpp's own converter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

from tailor.errors import TailorError

Kind = Literal["f32", "f16", "bf16", "q8_0"]
"""How the weights are kept; smaller ones llama.cpp's ``llama-quantize`` makes of these."""

CONVERTER = "convert_hf_to_gguf.py"
"""The program, in llama.cpp's repository and its packages."""

VARIABLE = "LLAMA_CPP"
"""The environment variable that names llama.cpp's folder."""


def converter() -> Path:
    """Where llama.cpp's converter lies: in the folder that ``LLAMA_CPP`` names, or on the PATH.

    Raises:
        TailorError: it is not installed.
    """
    named = os.environ.get(VARIABLE, "")
    if named and (file := Path(os.path.expanduser(named)) / CONVERTER).is_file():
        return file
    if not named and (found := shutil.which(CONVERTER)):
        return Path(found)
    if named:
        raise TailorError(
            f"{VARIABLE} names {named}, which holds no {CONVERTER}: set it to the folder of "
            "https://github.com/ggml-org/llama.cpp, or export without --gguf."
        )
    raise TailorError(
        f"GGUF is written by llama.cpp's converter, and there is no {CONVERTER} on the PATH: get "
        f"https://github.com/ggml-org/llama.cpp and set {VARIABLE} to its folder, or export "
        "without --gguf."
    )


def write(model: Path, target: Path, kind: Kind = "f16") -> Path:
    """Convert a merged model's folder into the GGUF file ``target``.

    Raises:
        TailorError: the converter is not installed, or does not know this model.
    """
    part = target.with_name(f"{target.name}.part")
    words = [str(converter()), str(model), "--outfile", str(part), "--outtype", kind]
    ended = subprocess.run(
        # It is written for the Python that has torch and transformers, which is this one.
        [sys.executable, *words], capture_output=True, text=True, errors="replace", check=False
    )  # fmt: skip
    if ended.returncode or not part.is_file():
        part.unlink(missing_ok=True)
        said = [line.strip() for line in ended.stderr.splitlines() if line.strip()]
        last = said[-1][:300] if said else f"it ended with {ended.returncode}"
        raise TailorError(
            f"llama.cpp's converter could not convert {model} ({last}); the folder itself is "
            "whole: use it without GGUF, or mend what is named."
        )
    os.replace(part, target)
    return target
