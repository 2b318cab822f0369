/**
 * The QEMU command line of a machine.
 *
 * @packageDocumentation
 */
import { channelName } from './guest-script.js'
import type { VirtualMachineSpec } from './options.js'

/** File descriptors QEMU inherits, each one end of a socket pair. */
export interface InheritedDescriptors {
  readonly monitor: number
  readonly console: number
  readonly channels: readonly number[]
}

/** What the guest boots. */
export interface BootFiles {
  readonly kernel: string
  readonly initramfs: string
}

/** The chardev of the vhost-user socket, to ask the monitor about. */
export const VHOST_CHARDEV = 'vhost'

/** The arguments QEMU is started with. */
export function qemuArguments(
  spec: VirtualMachineSpec,
  boot: BootFiles,
  inherited: InheritedDescriptors,
): string[] {
  const on = (value: boolean): string => (value ? 'on' : 'off')
  return [
    ...['-name', `guest=${spec.name}`],
    ...['-nodefaults', '-no-user-config'],
    ...['-display', 'none'],
    // Software emulation: /dev/kvm is often missing, and where it exists inside a virtual machine it may hang.
    // Writing to memory that translated code came from is slow, and a guest that boots again does it all over. A small
    // cache of translations has been emptied by then: that halves the time of a second boot.
    ...['-accel', 'tcg,tb-size=16'],
    ...['-machine', 'pc,memory-backend=memory,usb=off,vmport=off'],
    ...['-smp', String(spec.cpus)],
    ...['-m', String(spec.memoryMiB)],
    // The switch maps the guest's memory, so it has to be shared.
    ...['-object', `memory-backend-memfd,id=memory,size=${spec.memoryMiB}M,share=on`],
    ...['-kernel', boot.kernel],
    ...['-initrd', boot.initramfs],
    ...['-append', kernelCommandLine(spec, inherited.channels.length)],
    ...(spec.incoming ? ['-incoming', 'defer'] : []),
    ...[
      '-chardev',
      `socket,id=monitor,fd=${inherited.monitor}`,
      '-mon',
      'chardev=monitor,mode=control',
    ],
    ...['-chardev', `socket,id=console,fd=${inherited.console}`, '-serial', 'chardev:console'],
    ...['-device', 'virtio-serial-pci,disable-legacy=on'],
    ...inherited.channels.flatMap((fd, i) => [
      ...['-chardev', `socket,id=channel${i},fd=${fd}`],
      ...['-device', `virtserialport,chardev=channel${i},name=${channelName(i)}`],
    ]),
    ...['-chardev', vhostChardev(spec)],
    ...['-netdev', `vhost-user,id=net,chardev=${VHOST_CHARDEV},queues=${spec.queues}`],
    ...[
      '-device',
      [
        'virtio-net-pci,netdev=net',
        `mac=${spec.mac}`,
        'disable-legacy=on',
        // No boot ROM: the guest never boots from the network.
        'romfile=',
        // With MSI-X, QEMU 7.2 crashes when a vhost-user device starts under software emulation.
        'vectors=0',
        `mq=${on(spec.queues > 1)}`,
        `packed=${on(spec.packed)}`,
        `rx_queue_size=${spec.rxQueueSize}`,
        `tx_queue_size=${spec.txQueueSize}`,
        ...(spec.mtu === undefined ? [] : [`host_mtu=${spec.mtu}`]),
        ...(spec.offloads ? [] : OFFLOADS.map((offload) => `${offload}=off`)),
      ].join(','),
    ],
  ]
}

const OFFLOADS = [
  'csum',
  'gso',
  'host_tso4',
  'host_tso6',
  'host_ecn',
  'host_ufo',
  'guest_csum',
  'guest_tso4',
  'guest_tso6',
  'guest_ecn',
  'guest_ufo',
]

function vhostChardev(spec: VirtualMachineSpec): string {
  // A comma in a value is doubled, or QEMU would see the next option there.
  const path = spec.socket.replaceAll(',', ',,')
  const mode = spec.role === 'server' ? 'server=on,wait=off' : 'reconnect=1'
  return `socket,id=${VHOST_CHARDEV},path=${path},${mode}`
}

function kernelCommandLine(spec: VirtualMachineSpec, channels: number): string {
  return [
    'console=ttyS0',
    'quiet',
    // A guest that panics starts again, and the monitor reports that.
    'panic=-1',
    // On a busy host the emulated timer can seem dead to the kernel's check, and that ends the boot.
    'no_timer_check',
    // What an emulated processor has no use for, and takes long over.
    'mitigations=off',
    'cryptomgr.notests',
    // The kernel hands the rest to /init as environment variables.
    `guest_name=${spec.name}`,
    `guest_addresses=${spec.addresses.join(',')}`,
    `guest_mtu=${spec.mtu ?? ''}`,
    `guest_channels=${channels}`,
  ].join(' ')
}
