#!/bin/sh
# Inside the virtual machine: run the tests that need real devices. `sh tests/hardware/tests.sh -k NAME` picks.
cd /bodega || exit 1
export PYTHONPATH=/packages:/bodega/agent:/bodega/proto:/bodega/firmware_adapters:/bodega/tests
export PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1 BODEGA_HARDWARE=1 COLUMNS=110
# Only the plugins that these tests need: each import takes its time on an emulated processor.
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1
exec python3 -m pytest -p pytest_asyncio.plugin -p pytest_timeout -p no:cacheprovider --confcutdir=tests/hardware \
    --verbose --tb=short -o console_output_style=classic --color=no "$@" tests/hardware/inside
