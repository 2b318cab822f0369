import * as z from 'zod'
import { ConfigError, type Problem, show } from './config-error.js'
import {
  type EgressShaper,
  type EgressShaperSpec,
  egressShaperField,
  shaperTrouble,
} from './egress-shaper.js'
import { nearest } from './nearest.js'
import {
  type AdminState,
  adminStateField,
  PORT_TYPES,
  type PortOptions,
  type PortSpec,
  portOptions,
  type RxAffinity,
  rxAffinityField,
} from './port-options.js'
import { canonicalSocketPath, missingFolder } from './socket-path.js'
import { check, validate } from './validate.js'

/** What a port has for itself. */
export interface PortClaim {
  readonly name: string
  readonly path?: string | undefined
  /** {@link canonicalSocketPath} of its path as it was found before; found out when it is not given. */
  readonly socket?: string | undefined
}

/** What a port has to fit in with. */
export interface PortSurroundings {
  /** The ports that exist. */
  readonly ports?: Iterable<PortClaim> | undefined
  /** The datapath's MTU, above which no port can go. */
  readonly mtu?: number | undefined
}

/**
 * The options of a port with defaults filled in.
 *
 * @throws {@link ConfigError} naming every problem, those with other ports included
 */
export function validatePort(options: PortOptions, surroundings: PortSurroundings = {}): PortSpec {
  const given: unknown = options
  const { spec, problems } = checkPort(given)
  const all = [
    ...problems,
    ...contradictions(given),
    ...clashes(given, surroundings),
    ...beyondQueues(member(given, 'rxAffinity'), rxQueuesOf(given)),
    ...beyondShaper(spec, surroundings.mtu),
  ]
  if (all.length > 0 || spec === undefined) throw new ConfigError(title(given), all)
  return spec
}

/**
 * Pins for a port that exists.
 *
 * @throws {@link ConfigError} naming every problem
 */
export function validateRxAffinity(rxAffinity: RxAffinity, port: PortSpec): RxAffinity {
  const given: unknown = { rxAffinity }
  const { spec, problems } = check(z.strictObject({ rxAffinity: rxAffinityField }), given)
  const all = [...problems, ...beyondQueues(rxAffinity, rxQueuesOf(port))]
  if (all.length > 0 || spec === undefined) throw new ConfigError(title(port), all)
  return spec.rxAffinity
}

/**
 * A shaper for a port that exists; undefined: none.
 *
 * @throws {@link ConfigError} naming every problem
 */
export function validateEgressShaper(
  egressShaper: EgressShaper | undefined,
  port: PortSpec,
): EgressShaperSpec | undefined {
  const schema = z.strictObject({ egressShaper: egressShaperField.optional() })
  const spec = validate(schema, { egressShaper }, title(port)).egressShaper
  const problems = beyondShaper({ ...port, egressShaper: spec }, port.mtu)
  if (problems.length > 0) throw new ConfigError(title(port), problems)
  return spec
}

function beyondShaper(port: PortSpec | undefined, mtu = 1500): Problem[] {
  return port?.egressShaper === undefined ? [] : shaperTrouble(port.egressShaper, port.mtu ?? mtu)
}

/** @throws {@link ConfigError} for what is neither up nor down */
export function validateAdminState(adminState: AdminState, port: string): AdminState {
  const schema = z.strictObject({ adminState: adminStateField })
  return validate(schema, { adminState }, `port ${show(port)}`).adminState
}

/** Pins of rx queues that the port cannot have. */
function beyondQueues(rxAffinity: unknown, queues: number): Problem[] {
  if (!isObject(rxAffinity)) return []
  return Object.entries(rxAffinity)
    .filter(([queue]) => Number(queue) >= queues && Number(queue) < 16)
    .map(([queue, lcore]) => ({
      path: `rxAffinity.${queue}`,
      value: lcore,
      message: 'pins a queue that the port cannot have',
      fix: queues === 1 ? 'its only rx queue is 0' : `its rx queues are 0 to ${queues - 1}`,
    }))
}

/** Most rx queues a port with these options has; 16 where that cannot be told. */
function rxQueuesOf(options: unknown): number {
  const isEthernet = member(options, 'type') === 'dpdk'
  const wanted = member(options, isEthernet ? 'rxQueues' : 'queues') ?? (isEthernet ? 1 : 16)
  return typeof wanted === 'number' ? wanted : 16
}

function title(options: unknown): string {
  const name = member(options, 'name')
  return typeof name === 'string' && name !== '' ? `port ${show(name)}` : 'port'
}

function checkPort(options: unknown): { spec?: PortSpec; problems: Problem[] } {
  const type = member(options, 'type')
  const wrongType = isObject(options) && !PORT_TYPES.some((known) => known === type)
  if (!wrongType) {
    const checked = check(portOptions, options)
    return { ...checked, problems: checked.problems.map(explainRole) }
  }
  // The other options are still worth checking, as those of the type that was probably meant.
  const meant = guessType(options, type)
  const problems =
    meant === undefined ? [] : check(portOptions, { ...options, type: meant }).problems
  const message = type === undefined ? 'is missing' : 'is not a type of port'
  return {
    problems: [
      { path: 'type', value: type, message, fix: typeFix(type) },
      ...problems.map(explainRole),
    ],
  }
}

function guessType(options: object, type: unknown): string | undefined {
  const mode = member(options, 'mode')
  if (mode === 'server') return 'dpdkvhostuserclient'
  if (mode === 'client') return 'dpdkvhostuser'
  if (typeof type === 'string') {
    const near = nearest(type, PORT_TYPES)
    if (near !== undefined) return near
  }
  if ('devargs' in options) return 'dpdk'
  return 'path' in options ? 'dpdkvhostuserclient' : undefined
}

const ROLES =
  "'dpdkvhostuserclient' connects to a socket on which QEMU listens (server=on), 'dpdkvhostuser' listens and QEMU connects"

function typeFix(type: unknown): string {
  const list = `the types are ${PORT_TYPES.join(', ')}`
  if (typeof type !== 'string') return `${list}; ${ROLES}`
  // What is said of a role alone could mean either side of the socket, so no guess is made.
  if (/^(vhost-?user|vhost|client|server|vhost-?user-?(client|server))$/i.test(type))
    return `${list}; ${ROLES}`
  const near = nearest(type, PORT_TYPES)
  return near === undefined ? `${list}; ${ROLES}` : `did you mean '${near}'? ${list}`
}

/** Keys that other programs use for the role, which is part of the type here. */
const ROLE_KEYS = new Set([
  'mode',
  'role',
  'client',
  'server',
  'vhostuser_mode',
  'vhostuserMode',
  'isServer',
  'isClient',
])

function explainRole(problem: Problem): Problem {
  const { value } = problem
  // A server port has an option of that name, but permission bits are not what these words mean.
  const isRole = problem.path === 'mode' && (value === 'server' || value === 'client')
  if (!isRole && (problem.message !== 'is not an option' || !ROLE_KEYS.has(problem.path)))
    return problem
  const leave = 'leave it out: the type says who listens'
  if (/mode$/i.test(problem.path) && (value === 'server' || value === 'client')) {
    const type = value === 'server' ? 'dpdkvhostuserclient' : 'dpdkvhostuser'
    return {
      ...problem,
      fix: `${leave}. QEMU's, libvirt's and OpenStack's mode is QEMU's side, and with mode '${value}' the type is '${type}'; ${ROLES}`,
    }
  }
  return { ...problem, fix: `${leave}; ${ROLES}` }
}

/** Options that do not go together, or not with the file system. */
function contradictions(options: unknown): Problem[] {
  const problems: Problem[] = []
  const path = member(options, 'path')
  if (member(options, 'type') === 'dpdkvhostuser' && typeof path === 'string') {
    const trouble = member(options, 'createFolder') === true ? undefined : missingFolder(path)
    if (trouble !== undefined) {
      const fix = `${trouble.fix}, or have the port do it with createFolder: true`
      problems.push({ path: 'path', value: path, message: trouble.message, fix })
    }
  }
  const disabled = member(options, 'disableFeatures')
  if (disabled !== undefined && member(options, 'features') !== undefined) {
    problems.push({
      path: 'disableFeatures',
      value: disabled,
      message: 'cannot be given beside features',
      fix: 'leave it out: features already says what is offered',
    })
  }
  return problems
}

function clashes(options: unknown, { ports = [], mtu }: PortSurroundings): Problem[] {
  const problems: Problem[] = []
  const name = member(options, 'name')
  const path = member(options, 'path')
  const wanted = member(options, 'mtu')
  const socket =
    typeof path === 'string' && path.startsWith('/') && !path.includes('\0')
      ? canonicalSocketPath(path)
      : undefined
  for (const port of ports) {
    if (port.name === name) {
      problems.push({
        path: 'name',
        value: name,
        message: 'is the name of another port',
        fix: 'choose another name, or remove that port first',
      })
    }
    if (
      socket !== undefined &&
      port.path !== undefined &&
      (port.path === path || isAt(port, port.path, socket))
    ) {
      const spelling = port.path === path ? '' : `, which has it as ${show(port.path)}`
      const message = `is the socket of port ${show(port.name)}${spelling}`
      problems.push({
        path: 'path',
        value: path,
        message,
        fix: 'give each port a socket of its own',
      })
    }
  }
  if (mtu !== undefined && typeof wanted === 'number' && wanted > mtu) {
    const fix = `give at most ${mtu}, or start the datapath with mtu: ${wanted}`
    problems.push({
      path: 'mtu',
      value: wanted,
      message: `is above the datapath's MTU of ${mtu}`,
      fix,
    })
  }
  return problems
}

/** Asks the file system only where it has to: among a thousand ports that would take a thousand times as long. */
function isAt(port: PortClaim, path: string, socket: string): boolean {
  if (port.socket !== undefined && port.socket !== socket) return false
  return canonicalSocketPath(path) === socket
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function member(options: unknown, key: string): unknown {
  return isObject(options) ? options[key] : undefined
}
