# The first process of a machine (machine.ts): gives it file systems, users and groups of its own, and then waits.
# Arguments: the folder of what `npm run setup -- --vif` and `--ovs` unpacked; a folder for what is written; which
# of what is unpacked it has.
set -eu
cache=$1
work=$2
shift 2

mount -t tmpfs tmpfs "$work"
mount -t sysfs sysfs /sys
# What is unpacked lies over what is installed, and all that is written goes into memory.
for folder in usr etc var run; do
  mkdir -p "$work/$folder/upper" "$work/$folder/work"
  lower=/$folder
  for package; do
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

# It may be there and hang. With what nobody may use and root cannot either, libvirt knows that once and for all.
touch "$work/none"
chmod 0 "$work/none"
if [ -e /dev/kvm ]; then mount --bind "$work/none" /dev/kvm; fi
# What libvirt finds out about QEMU takes it seconds each time, so it is kept.
mkdir -p "$cache/libvirt" /var/cache/libvirt /var/log/libvirt
mount --bind "$cache/libvirt" /var/cache/libvirt


ip link set lo up
echo ready
# Processes that lose their parent become children of this one, and a shell that waits looks after them.
sleep infinity &
wait
