#!/bin/bash
# Install one daemon on a real box: pinned packages and the wheel into /opt/bodega, the unit into systemd.
# Nothing is started without --now. Run it again to upgrade; see packaging/README.md.
set -euo pipefail

usage() {
    cat >&2 <<'TEXT'
usage: packaging/install.sh agent|controlplane [options]
  --vision cpu|gpu   (agent) add the vision packages for this accelerator
  --postgres         (controlplane) add the PostgreSQL driver
  --wheel FILE       the wheel to install; without it, the one in dist/ (make dist)
  --root DIR         install below DIR and touch no running system (images, tests)
  --now              enable and (re)start the service when all is in place
TEXT
    exit 2
}

fail() { # exit code, sentence
    echo "install: $2" >&2
    exit "$1"
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(dirname "$here")
host=${1:-}
case $host in agent | controlplane) shift ;; *) usage ;; esac
sets=("$host")
wheel='' root='' now=''
while [ $# -gt 0 ]; do
    case $1 in
        --vision)
            case ${2:-} in cpu | gpu) sets+=("vision-$2") ;; *) usage ;; esac
            shift
            ;;
        --postgres) sets+=(postgres) ;;
        --wheel) [ $# -ge 2 ] || usage && wheel=$2 && shift ;;
        --root) [ $# -ge 2 ] || usage && root=$2 && shift ;;
        --now) now=yes ;;
        *) usage ;;
    esac
    shift
done
[ -z "$root" ] || [ -z "$now" ] || fail 2 "--root installs an image; there is nothing to start --now"
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail 77 "must be root to write /opt and /etc: sudo $0 $host"

if [ -z "$wheel" ]; then
    wheels=("$project"/dist/bodega-*.whl)
    [ ${#wheels[@]} = 1 ] || fail 66 "dist/ holds ${#wheels[@]} wheels; name one with --wheel"
    wheel=${wheels[0]}
fi
[ -f "$wheel" ] || fail 66 "there is no wheel at $wheel; build it with: make dist"
python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail 69 "needs Python 3.11 or newer with venv: apt-get install python3-venv"

environment=$root/opt/bodega
[ -x "$environment/bin/python" ] || python3 -m venv "$environment"
requirements=()
for set in "${sets[@]}"; do requirements+=(-r "$here/requirements/$set.txt"); done
"$environment/bin/python" -m pip install --quiet --require-hashes "${requirements[@]}"
"$environment/bin/python" -m pip install --quiet --no-deps --no-index --force-reinstall "$wheel"

install -D -m 0644 "$project/systemd/bodega.sysusers.conf" "$root/etc/sysusers.d/bodega.conf"
install -D -m 0644 "$project/systemd/bodega-$host.service" "$root/etc/systemd/system/bodega-$host.service"
[ "$host" != agent ] || install -D -m 0644 "$project/systemd/60-bodega-devices.rules" "$root/etc/udev/rules.d/60-bodega-devices.rules"
if [ -z "$root" ]; then
    systemd-sysusers /etc/sysusers.d/bodega.conf
    install -d -m 0750 -g bodega /etc/bodega
    systemctl daemon-reload
    # A box without udev has nothing to tell; devices that are in get their names when they are plugged in again.
    ! command -v udevadm >/dev/null || udevadm control --reload || true
fi
echo "installed bodega-$host from $(basename "$wheel") into $environment"
[ -e "$root/etc/bodega/$host.toml" ] || echo "next: write $root/etc/bodega/$host.toml; start from packaging/examples/$host.toml"
if [ -n "$now" ]; then
    systemctl enable "bodega-$host.service"
    systemctl restart "bodega-$host.service"
elif [ -z "$root" ]; then
    echo "next: systemctl enable --now bodega-$host.service"
fi
