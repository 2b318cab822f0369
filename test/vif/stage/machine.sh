# The first process of a machine (machine.ts): gives it file systems, users and groups of its own, and then waits.
# Arguments: the folder of what `npm run setup -- --vif` and `--ovs` unpacked; a folder for what is written.
set -eu
cache=$1
work=$2

mount -t tmpfs tmpfs "$work"
mount -t sysfs sysfs /sys
# What is unpacked lies over what is installed, and all that is written goes into memory.
for folder in usr etc var run; do
  mkdir -p "$work/$folder/upper" "$work/$folder/work"
  lower=/$folder
  for package in vif ovs; do
    if [ -d "$cache/$package/$folder" ]; then lower=$cache/$package/$folder:$lower; fi
  done
  mount -t overlay overlay \
    -o "lowerdir=$lower,upperdir=$work/$folder/upper,workdir=$work/$folder/work" "/$folder"
done

# As distributions with OpenStack have them.
for name in qemu libvirt-qemu openvswitch; do
  groupadd --force --system $name
  id $name >/dev/null 2>&1 || useradd --system --gid $name --home-dir / --shell /usr/sbin/nologin $name
done

# What libvirt finds out about QEMU takes it seconds each time, so it is kept.
mkdir -p "$cache/libvirt" /var/cache/libvirt /var/log/libvirt
mount --bind "$cache/libvirt" /var/cache/libvirt

ip link set lo up
echo ready
# Processes that lose their parent become children of this one, and a shell that waits looks after them.
sleep infinity &
wait
