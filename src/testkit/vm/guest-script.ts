/**
 * What runs inside the guest: its first process, and the agent that serves the command channels.
 *
 * @packageDocumentation
 */

/** Name of the virtio-serial port of channel `i`, as QEMU announces it and the guest finds it. */
export function channelName(index: number): string {
  return `agent.${index}`
}

/** Starts every message of the agent; see `command-channel.ts` for the messages. */
export const MESSAGE_MARK = '\u0001'

/** Where {@link INTERFACE_SCRIPT} is in the guest. */
export const INTERFACE_SCRIPT_PATH = '/bin/set-up-interface'

/** Sets up `eth0` as the guest's environment says; prints what goes wrong. */
export const INTERFACE_SCRIPT = `#!/bin/sh
[ -e /sys/class/net/eth0 ] || { echo 'no network interface appeared'; exit 1; }
# Without an IPv6 address of its own the guest should not speak IPv6 unasked; with one, it is usable at once.
case "$guest_addresses" in
  *:*) echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad ;;
  *) echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6 ;;
esac
# Ask for a neighbour's address every 100 ms for 3 s, not every second: after an interruption traffic comes back when
# the switch does, not up to a second later.
for family in ipv4 ipv6; do
  echo 100 >/proc/sys/net/$family/neigh/eth0/retrans_time_ms
  echo 30 >/proc/sys/net/$family/neigh/eth0/mcast_solicit
done
set -e
[ -z "$guest_mtu" ] || ip link set eth0 mtu "$guest_mtu"
ip link set eth0 up
for address in $(echo "$guest_addresses" | tr , ' '); do
  ip address add "$address" dev eth0
done
`

/** Takes the network device from its driver, gives it back, and sets up the interface anew. */
export const REBIND_COMMAND = `
set -e
device=$(basename "$(readlink /sys/class/net/eth0/device)")
echo "$device" >/sys/bus/virtio/drivers/virtio_net/unbind
echo "$device" >/sys/bus/virtio/drivers/virtio_net/bind
exec ${INTERFACE_SCRIPT_PATH}
`

/**
 * `/init`. What differs from guest to guest comes from the kernel command line, which the kernel hands to this
 * script as environment variables: `guest_name`, `guest_addresses` (separated by commas), `guest_mtu` and
 * `guest_channels`. So one archive serves every guest.
 *
 * Each channel is served by a shell of its own, which takes one request after the other. A request is one line,
 * `boot-id job command`, the command in Base64. The boot id keeps a request meant for a guest before its reset
 * from running in the guest after it. `read` takes bytes one at a time, so it never reads past its line.
 *
 * The output of a command goes through `cat` so that it ends only when the last process that can write to it
 * has ended: nothing can appear after the end message. A job is a session of its own, whose id is in
 * `/run/<job>.pid`, so that all of it can be killed.
 */
export const INIT_SCRIPT = String.raw`#!/bin/busybox sh
export PATH=/bin HOME=/root
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /run /tmp
mount -t devpts devpts /dev/pts
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
ln -s /proc/self/fd /dev/fd

status=ok
problem() {
  echo "init: $*"
  [ "$status" = ok ] && status="$(echo "$*" | tr ' ' '_')"
}

while read -r module; do
  insmod "/lib/modules/$module.ko" || problem "cannot load module $module"
done </lib/modules/load

hostname "$guest_name"
ip link set lo up
# What it prints is a problem.
${INTERFACE_SCRIPT_PATH} >/run/interface 2>&1 || problem "$(cat /run/interface)"

read -r boot </proc/sys/kernel/random/boot_id

serve() {
  exec 3<>"/dev/$1" || exit
  printf '\001hello %s %s\n' "$boot" "$status" >&3
  while read -r request_boot job encoded <&3; do
    [ "$request_boot" = "$boot" ] || continue
    printf '\001begin %s\n' "$job" >&3
    {
      # This shell reports a child killed by a signal on its own standard error: not a part of the output.
      setsid sh -c 'exec 2>&1; echo $$ >"/run/$0.pid"; exec sh -c "$(echo "$1" | base64 -d)"' \
        "$job" "$encoded" </dev/null 2>/dev/null 3>&-
      echo $? >"/run/$job.code"
    } | cat >&3
    read -r code <"/run/$job.code"
    rm -f "/run/$job.pid" "/run/$job.code"
    printf '\001end %s %s\n' "$job" "$code" >&3
  done
}

# The ports appear a moment after their module is loaded.
expected=$guest_channels
while :; do
  found=0
  for port in /sys/class/virtio-ports/*; do
    [ -s "$port/name" ] && found=$((found + 1))
  done
  [ $found -ge "$expected" ] && break
  usleep 10000
done
for port in /sys/class/virtio-ports/*; do
  (cd / && serve "$(basename "$port")") &
done
echo "init: $guest_name is up"
while :; do wait; sleep 3600; done
`
