import subprocess
import sys


def test_the_configuration_loads_no_check() -> None:
    program = "import sys, cloudseg.config, cloudseg.text; print([name for name in sys.modules if 'checks' in name])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
