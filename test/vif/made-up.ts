/** Random descriptions, to go through an artefact and back. */
import { type Guest, newGuest, newVif, PLUGS, RING_SIZES, type Vif } from '../../src/vif/index.js'
import type { Random } from '../headers/random.js'

/** Some of these characters are special to shells, XML, QEMU's options or OVSDB. */
const FOLDERS = [
  '/run/vm',
  "/run/o'brien",
  '/run/a,b',
  '/run/a b',
  '/run/"q"',
  '/run/<&>',
  '/run/a\\b',
]

export function randomVif(random: Random, fixed: Partial<Vif> = {}): Vif {
  const maybe = <T>(value: T): T | undefined => (random.below(2) === 0 ? undefined : value)
  const id = uuid(random)
  const qemuMode = random.pick(['client', 'server'] as const)
  return newVif({
    id,
    socket: `${random.pick(FOLDERS)}/${id}`,
    qemuMode,
    plug: random.pick(PLUGS),
    mac: `fa:16:3e:${[0, 0, 0].map(() => hex(random.below(256))).join(':')}`,
    mtu: maybe(68 + random.below(9000)),
    queues: 1 + random.below(16),
    rxQueueSize: maybe(random.pick(RING_SIZES)),
    txQueueSize: maybe(random.pick(RING_SIZES)),
    packed: random.below(2) === 0,
    reconnect: qemuMode === 'client' ? maybe(1 + random.below(60)) : undefined,
    bridge: maybe('br-int'),
    vmId: uuid(random),
    ...fixed,
  })
}

export function randomGuest(random: Random): Guest {
  const shared = random.below(4) > 0
  const memories = shared
    ? (['memfd', 'hugepages', 'file'] as const)
    : (['memfd', 'anonymous'] as const)
  const memory = random.pick<Guest['memory']>(memories)
  return newGuest({
    name: `vm-${random.below(100)}, the "first"`,
    uuid: uuid(random),
    vcpus: 1 + random.below(16),
    memoryMiB: 1 + random.below(65536),
    memory,
    pageKiB: memory === 'hugepages' ? random.pick([undefined, 2048, 1048576]) : undefined,
    shared,
  })
}

const hex = (byte: number) => byte.toString(16).padStart(2, '0')

/** A version 4 UUID (RFC 4122). */
function uuid(random: Random): string {
  const bytes = Buffer.from(random.bytes(16))
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const digits = bytes.toString('hex')
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
