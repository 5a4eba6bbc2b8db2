"""Damaged files: each fault is found at the start or by verify, or changes nothing that is served."""

import os
import subprocess

from rig import BUILD, check, place, scale, seed


def test_damage_is_found_or_without_effect():
    """Bits flipped, ends cut off, sectors lost, pages misplaced, in the file, the WAL, the witness and the index."""
    count = scale(150, lambda n: 5 * n)
    done = subprocess.run([str(BUILD / "tests" / "crash" / "flip"), str(count), str(seed())], capture_output=True,
                          check=False, env={**os.environ, "TMPDIR": place()}, timeout=60 + 2 * count)
    said = done.stdout.decode()
    check(done.returncode == 0, said, done.stderr.decode()[-2000:])
    return said.strip()
