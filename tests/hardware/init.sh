#!/bin/sh
# The first process of the virtual machine, after the checkout is mounted: udev, the tests, and off.
# The word bodega.shell on the kernel's command line gives a person a shell in place of the tests.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
exec </dev/ttyS1 >/dev/ttyS1 2>&1
cd /bodega || exit 1

modprobe -a configfs libcomposite usb_f_acm usb_f_hid usb_f_printer cdc_acm usblp usbhid uinput
modprobe dummy_hcd num=4 # four sockets for gadgets, each a USB bus of its own
grep -q configfs /proc/mounts || mount -t configfs configfs /sys/kernel/config
mkdir -p /run/udev/rules.d && cp systemd/60-bodega-devices.rules /run/udev/rules.d/
/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add
udevadm settle

read -r up _ </proc/uptime
if grep -qw bodega.shell /proc/cmdline; then
    stty -F /dev/ttyS1 sane
    echo "up after $up s. 'sh tests/hardware/tests.sh -k NAME' runs tests as they are now on the host;"
    echo "'exit' switches the machine off."
    TERM=linux setsid --ctty bash -i </dev/ttyS1
else
    stty -F /dev/ttyS1 raw -echo
    echo "up after $up s"
    set --
    while IFS= read -r word; do set -- "$@" "$word"; done </results/arguments
    sh tests/hardware/tests.sh --junitxml=/results/junit.xml "$@"
fi
sync
echo o >/proc/sysrq-trigger
# The disk may be gone before the processor: no program can be started any more.
while :; do :; done
