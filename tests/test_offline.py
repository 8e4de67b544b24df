"""After installation nothing needs the network: the tests themselves, solved notebooks included,
run with all but local connections refused (``tests/offline``)."""

import os
import socket
import subprocess
import sys

import nbformat
import pytest

from lab_utils import run

pytestmark = pytest.mark.skipif(os.environ.get("LABS_NETWORK") == "allowed",
                                reason="LABS_NETWORK=allowed leaves the network open")
# Nothing is sent, guarded or not: UDP's connect only notes the address, which is one of those
# reserved for documentation (RFC 5737).
REACH_OUT = "import socket; socket.socket(type=socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"


def test_this_process_refuses_connections_and_look_ups_except_local_ones():
    with pytest.raises(ConnectionRefusedError, match="without a network"):
        exec(REACH_OUT, {})
    with pytest.raises(ConnectionRefusedError, match=r"labs\.invalid"):
        socket.getaddrinfo("labs.invalid", 80)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


def test_processes_that_tests_start_refuse_too():
    done = subprocess.run([sys.executable, "-c", REACH_OUT], capture_output=True, text=True)
    assert done.returncode == 1 and "The tests run without a network" in done.stderr


@pytest.mark.slow
def test_notebook_kernels_refuse_too(tmp_path):
    """So the solved notebooks, which nbval runs from here, ran without a network."""
    cell = f"try:\n    {REACH_OUT}\nexcept ConnectionRefusedError as error:\n    print(error)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    done = run.execute(notebook, "offline", "quick", tmp_path)
    assert "The tests run without a network" in done.cells[0].outputs[0].text


def test_the_kernels_of_nbval_inherit_the_guard():
    """nbval starts kernels with the environment of this process."""
    assert os.environ["PYTHONPATH"].split(os.pathsep)[0].endswith("offline")
