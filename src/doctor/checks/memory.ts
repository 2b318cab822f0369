import type { Finding } from '../finding.js'
import { cpusOf, type Machine } from '../machine.js'
import type { Subject } from '../subject.js'

const FOLDER = '/sys/kernel/mm/hugepages'
const KIB_A_MIB = 1024
const DEFAULT = { memory: 'auto', memoryMiB: 256 } as const
const CAP_IPC_LOCK = 14
/** Descriptors that a vhost-user port has open: three for a queue, and those of its socket. */
const FILES_A_QUEUE_PAIR = 6
const FILES_A_PORT = 8
const FILES_OF_ITS_OWN = 200

interface Pages {
  readonly kib: number
  readonly total: number
  readonly free: number
}

/** Hugepages: as many as the datapath wants, and where lcores are. */
export function hugepages(
  machine: Machine,
  { datapath = DEFAULT, lcores = [] }: Subject,
): Finding[] {
  const { memory, memoryMiB } = datapath
  const sizes = machine.list(FOLDER).flatMap((name): Pages[] => {
    const kib = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1])
    const total = machine.number(`${FOLDER}/${name}/nr_hugepages`) ?? 0
    return [{ kib, total, free: machine.number(`${FOLDER}/${name}/free_hugepages`) ?? 0 }]
  })
  const freeMiB = sizes.reduce((sum, { kib, free }) => sum + (kib * free) / KIB_A_MIB, 0)
  const seen =
    sizes.length === 0
      ? 'this kernel has none'
      : sizes.every(({ total }) => total === 0)
        ? 'none are set aside'
        : sizes
            .filter(({ total }) => total > 0)
            .map(({ kib, total, free }) => `${free} of ${total} of ${kib / KIB_A_MIB} MiB free`)
            .join(', ')
  if (memory === 'memfd') {
    const why = 'the configuration says memory: memfd, which takes ordinary pages'
    return [{ check: 'hugepages', severity: 'ok', seen, why }]
  }
  if (freeMiB >= memoryMiB)
    return [{ check: 'hugepages', severity: 'ok', seen }, ...onNodes(machine, lcores)]
  const [smallest] = [...sizes].sort((a, b) => a.kib - b.kib)
  const mib = (smallest?.kib ?? 2 * KIB_A_MIB) / KIB_A_MIB
  const wanted = (smallest?.total ?? 0) + Math.ceil((memoryMiB - freeMiB) / mib)
  const lacking = `${seen}; memoryMiB is ${memoryMiB}`
  const fix =
    smallest === undefined
      ? 'write memory: memfd in the configuration, or boot a kernel with hugepages'
      : `echo ${wanted} | sudo tee ${FOLDER}/hugepages-${smallest.kib}kB/nr_hugepages  # until the next boot`
  const inUse = 'A switch that runs already has its own in use.'
  return memory === 'hugepages'
    ? [
        {
          check: 'hugepages',
          severity: 'error',
          seen: lacking,
          why: `memory: hugepages does not start without them. ${inUse}`,
          fix,
        },
      ]
    : [
        {
          check: 'hugepages',
          severity: 'warning',
          seen: lacking,
          why: `frames lie in ordinary pages then, which costs misses of the TLB. ${inUse}`,
          fix,
        },
      ]
}

/** Memory that an lcore uses should be on its own node. */
function onNodes(machine: Machine, lcores: NonNullable<Subject['lcores']>): Finding[] {
  const nodes = nodesOf(machine)
  if (nodes.length < 2) return []
  const used = nodes.filter(({ cpus }) => lcores.some(({ cpu }) => cpus.includes(cpu ?? -1)))
  return used.flatMap(({ node }): Finding[] => {
    const folder = `/sys/devices/system/node/node${node}/hugepages`
    const free = machine
      .list(folder)
      .reduce((sum, name) => sum + (machine.number(`${folder}/${name}/free_hugepages`) ?? 0), 0)
    if (free > 0) return []
    const [size = 'hugepages-2048kB'] = machine.list(folder)
    return [
      {
        check: 'hugepages',
        severity: 'warning',
        seen: `none free on NUMA node ${node}, where lcores run`,
        why: 'every access to a frame crosses to the other node',
        fix: `echo 512 | sudo tee ${folder}/${size}/nr_hugepages`,
      },
    ]
  })
}

export function nodesOf(machine: Machine): { node: number; cpus: number[] }[] {
  return machine.list('/sys/devices/system/node').flatMap((name) => {
    const node = /^node(\d+)$/.exec(name)?.[1]
    if (node === undefined) return []
    return [
      {
        node: Number(node),
        cpus: cpusOf(machine.line(`/sys/devices/system/node/${name}/cpulist`)),
      },
    ]
  })
}

/** Limits of the process: memory it may lock, files it may open. */
export function limits(machine: Machine, { datapath = DEFAULT, ports = [] }: Subject): Finding[] {
  const lock = machine.limit('Max locked memory') ?? 0
  const wanted = datapath.memoryMiB * 2 ** 20
  const isFree = machine.hasCapability(CAP_IPC_LOCK)
  const lockSeen = `limit of ${lock === Number.POSITIVE_INFINITY ? 'none' : `${Math.floor(lock / 1024)} KiB`}${isFree ? ', and CAP_IPC_LOCK, which is not held to it' : ''}`
  const files = machine.limit('Max open files') ?? 0
  const needed =
    FILES_OF_ITS_OWN +
    ports.reduce((sum, { queues = 1 }) => sum + FILES_A_PORT + FILES_A_QUEUE_PAIR * queues, 0)
  return [
    isFree || lock >= wanted
      ? { check: 'memory lock', severity: 'ok', seen: lockSeen }
      : {
          check: 'memory lock',
          severity: 'warning',
          seen: `${lockSeen}; packet memory is ${datapath.memoryMiB} MiB`,
          why: 'memory for devices (VFIO) has to be locked; packet memory that is not may be swapped out',
          fix: 'ulimit -l unlimited  # as root, or LimitMEMLOCK=infinity in the systemd unit',
        },
    files >= needed
      ? { check: 'open files', severity: 'ok', seen: `limit of ${files}` }
      : {
          check: 'open files',
          severity: 'error',
          seen: `limit of ${files}; ${ports.length} ports may need ${needed}`,
          why: 'a port whose guest sends a descriptor too many is disconnected',
          fix: `ulimit -n ${2 ** Math.ceil(Math.log2(needed))}  # or LimitNOFILE= in the systemd unit`,
        },
  ]
}
