"""Print the oldest versions that pyproject.toml allows, as pip's requirements: the last patch of each."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
for requirement in project["dependencies"]:
    name, version = re.match(r"(.+?)>=([\d.]+)", requirement).groups()
    print(f"{name}~={version if version.count('.') > 1 else version + ('.0' if '.' in version else '.0.0')}")
