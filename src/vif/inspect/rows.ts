import type { FileFacts, ProcessFacts, SwitchPort } from './facts.js'
import type { GuestEnd, Wire } from './wires.js'

/** One port of a guest, or of a switch, and what is at the other end: a line of the table. */
export interface InspectedPort {
  readonly vm?: string | undefined
  /** Of the switch, else of the guest. */
  readonly port: string
  /** `OVS`, or the name of a switch of ours; undefined when none has it. */
  readonly switch?: string | undefined
  readonly bridge?: string | undefined
  readonly socket: string
  /** A `server` is to listen, a `client` to connect. */
  readonly qemuRole?: 'server' | 'client' | undefined
  readonly switchRole?: 'server' | 'client' | undefined
  readonly isRunning?: boolean | undefined
  /** Processes that listen, as `command pid`; where it cannot be seen, whose role it is, without a pid. */
  readonly listening: readonly string[]
  /** Processes that are connected to these, in the same way. */
  readonly connected: readonly string[]
  readonly owner?: string | undefined
  readonly group?: string | undefined
  /** Octal, such as `0775`. */
  readonly mode?: string | undefined
  readonly sharedMemory?: boolean | undefined
  readonly memory?: string | undefined
  /** Queue pairs: of QEMU, that the switch can have, and that are in use. */
  readonly queues: {
    readonly qemu?: number | undefined
    readonly switch?: number | undefined
    readonly used?: number | undefined
  }
  /** As the switch says it; else `connected`, `listening`, `stale`, `no socket`, `off`. */
  readonly state: string
}

/** The lines of a wire: one, unless several guests or ports claim it. */
export function rowsOf(wire: Wire): InspectedPort[] {
  const guests = wire.guests.length > 0 ? wire.guests : [undefined]
  const ports = wire.ports.length > 0 ? wire.ports : [undefined]
  return guests.flatMap((guest) => ports.map((port) => row(wire, guest, port)))
}

function row(wire: Wire, end: GuestEnd | undefined, port: SwitchPort | undefined): InspectedPort {
  const { file } = wire
  const isThere = file !== undefined && file.kind !== 'missing' && file.kind !== 'forbidden'
  return {
    vm: end?.vm,
    port: port?.name ?? end?.vif.name ?? '',
    switch: port?.switch,
    bridge: port?.bridge,
    socket: wire.socket,
    qemuRole: end?.vif.qemuMode,
    switchRole: port && roleOf(port),
    isRunning: end?.isRunning,
    listening: wire.isListening ? named(wire, wire.listeners, assumed('server', end, port)) : [],
    connected: wire.isConnected ? named(wire, wire.connected, assumed('client', end, port)) : [],
    ...(isThere ? { owner: file.owner, group: file.group, mode: octal(file) } : {}),
    sharedMemory: end?.guest?.shared,
    memory: end?.guest?.memory,
    queues: { qemu: end?.vif.queues, switch: port?.queues, used: port?.usedQueues },
    state: port?.state ?? stateOf(wire, end),
  }
}

export function roleOf({ type }: SwitchPort): 'client' | 'server' {
  return type === 'dpdkvhostuserclient' ? 'client' : 'server'
}

/** `0775`. */
export function octal({ mode }: FileFacts): string {
  return mode.toString(8).padStart(4, '0')
}

export function processName({ command, pid }: ProcessFacts): string {
  return `${command} ${pid}`
}

/** A switch of ours is a program of Node.js, and is called what it is. */
function named({ ports }: Wire, processes: readonly ProcessFacts[], unknown: string): string[] {
  if (processes.length === 0) return [unknown]
  return processes.map((process) => {
    const own = ports.find(({ pid, switch: name }) => pid === process.pid && name !== 'OVS')
    return own === undefined ? processName(process) : `${own.switch} ${process.pid}`
  })
}

/** Whose role it is, where it cannot be seen who it is. */
function assumed(
  role: 'server' | 'client',
  end: GuestEnd | undefined,
  port: SwitchPort | undefined,
): string {
  if (end?.vif.qemuMode === role) return 'QEMU'
  return port !== undefined && roleOf(port) === role ? port.switch : 'somebody'
}

function stateOf(wire: Wire, end: GuestEnd | undefined): string {
  if (wire.isConnected) return 'connected'
  if (wire.isListening) return 'listening'
  if (wire.file?.kind === 'socket') return 'stale'
  return end?.isRunning === false ? 'off' : 'no socket'
}
