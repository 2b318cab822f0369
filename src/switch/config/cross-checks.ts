/**
 * What no part of a configuration can be told by itself: names that are there twice or not at all, and what does not go
 * together.
 *
 * @packageDocumentation
 */
import { canonicalSocketPath, MAX_PORTS, nearest, type Problem, show } from 'dpdk-vhost'
import { type BridgeOutline, type Outline, portsOfBridge } from './outline.js'
import { isObject, items, member, text } from './raw.js'

/** Problems and warnings of the whole, by the paths in it. */
export interface Findings {
  readonly problems: Problem[]
  readonly warnings: Problem[]
}

export function crossChecks(outline: Outline, adminSocket: string): Findings {
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const refuse = (path: string, value: unknown, message: string, fix: string) =>
    problems.push({ path, value, message, fix })

  uniqueNames(outline, refuse)
  sockets(outline, adminSocket, refuse)
  places(outline, refuse)
  lcores(outline, refuse, warnings)
  for (const bridge of outline.bridges) insideBridge(outline, bridge, refuse, warnings)
  return { problems, warnings }
}

type Refuse = (path: string, value: unknown, message: string, fix: string) => void

/** A name and where it is given. */
interface Given {
  readonly path: string
  readonly name: string | undefined
}

function unique(all: readonly Given[], what: string, refuse: Refuse): void {
  const first = new Map<string, string>()
  for (const { path, name } of all) {
    if (name === undefined) continue
    const before = first.get(name)
    if (before === undefined) first.set(name, path)
    else refuse(path, name, `is the name of another ${what} (${before})`, 'choose another name')
  }
}

function uniqueNames({ lcores, bridges, ports }: Outline, refuse: Refuse): void {
  const byName = ({ namePath, name }: { namePath: string; name: string | undefined }): Given => ({
    path: namePath,
    name,
  })
  unique(lcores.map(byName), 'lcore', refuse)
  unique(bridges.map(byName), 'bridge', refuse)
  // A TAP interface is a port of its name.
  const local = bridges.flatMap((bridge) => (bridge.local === undefined ? [] : [bridge.local]))
  unique([...ports.map(byName), ...local], 'port', refuse)
  const count = ports.length + local.length
  if (count > MAX_PORTS)
    refuse(
      'ports',
      undefined,
      `are ${count} with those of the bridges`,
      `give at most ${MAX_PORTS}`,
    )
  for (const { name, path } of local) {
    if (name !== undefined && path.endsWith('.local') && Buffer.byteLength(name) > 15)
      refuse(
        path,
        name,
        'is too long for an interface of Linux',
        'give local: { iface: NAME } with at most 15 bytes',
      )
  }
}

function sockets({ ports }: Outline, adminSocket: string, refuse: Refuse): void {
  const first = new Map<string, string>([[canonicalSocketPath(adminSocket), 'the admin socket']])
  for (const { path, name, given } of ports) {
    const socket = text(member(given, 'path'))
    if (socket === undefined || !socket.startsWith('/') || socket.includes('\0')) continue
    const canonical = canonicalSocketPath(socket)
    const before = first.get(canonical)
    if (before === undefined) first.set(canonical, name === undefined ? path : `port "${name}"`)
    else {
      const whose = before.startsWith('the') ? `is ${before}` : `is the socket of ${before}`
      refuse(`${path}.path`, socket, whose, 'give each port a socket of its own')
    }
  }
}

/** Ports' bridges and lcores. */
function places({ ports, bridges, lcores }: Outline, refuse: Refuse): void {
  const bridgeNames = namesOf(bridges)
  const lcoreNames = namesOf(lcores)
  for (const { path, given, bridge } of ports) {
    const named = member(given, 'bridge')
    if (bridge !== undefined && named !== undefined)
      oneOf(bridgeNames, `${path}.bridge`, bridge, 'bridge', refuse)
    const affinity = member(given, 'rxAffinity')
    if (!isObject(affinity)) continue
    for (const [queue, lcore] of Object.entries(affinity))
      oneOf(lcoreNames, `${path}.rxAffinity.${queue}`, lcore, 'lcore', refuse)
  }
}

function lcores(outline: Outline, refuse: Refuse, warnings: Problem[]): void {
  const portNames = outline.bridges.flatMap(({ local }) => local?.name ?? [])
  const names = new Set([...namesOf(outline.ports), ...portNames])
  const polled = new Set<string>()
  let all = false
  for (const { path, given } of outline.lcores) {
    const ports = member(given, 'ports') ?? 'all'
    all ||= ports === 'all'
    for (const [i, port] of items(ports).entries()) {
      oneOf(names, `${path}.ports[${i}]`, port, 'port', refuse)
      if (typeof port === 'string') polled.add(port)
    }
  }
  if (all) return
  for (const { path, name, given } of outline.ports) {
    if (name === undefined || polled.has(name)) continue
    const affinity = member(given, 'rxAffinity')
    if (isObject(affinity) && Object.keys(affinity).length > 0) continue
    const fix = 'name it in the ports of an lcore, or give an lcore ports: all'
    warnings.push({
      path,
      value: undefined,
      message: 'is polled by no lcore: nothing is received from it',
      fix,
    })
  }
}

function insideBridge(
  outline: Outline,
  bridge: BridgeOutline,
  refuse: Refuse,
  warnings: Problem[],
): void {
  const { path, given } = bridge
  const names = portsOfBridge(outline, bridge)
  const port = (at: string, name: unknown) => oneOf(names, at, name, 'port of the bridge', refuse)

  const macs = new Map<string, string>()
  for (const [i, entry] of items(member(given, 'staticMacs')).entries()) {
    const at = `${path}.staticMacs[${i}]`
    port(`${at}.port`, member(entry, 'port'))
    const mac = text(member(entry, 'mac'))?.toLowerCase().replaceAll('-', ':')
    if (mac === undefined) continue
    const key = `${mac} ${member(entry, 'vlan') ?? 0}`
    const before = macs.get(key)
    if (before === undefined) macs.set(key, at)
    else
      refuse(`${at}.mac`, mac, `is there already for that VLAN (${before})`, 'remove one of them')
  }

  const mirrors = items(member(given, 'mirrors'))
  unique(
    mirrors.map((one, i) => ({
      path: `${path}.mirrors[${i}].name`,
      name: text(member(one, 'name')),
    })),
    'mirror of the bridge',
    refuse,
  )
  for (const [i, one] of mirrors.entries())
    mirror(`${path}.mirrors[${i}]`, one, port, refuse, warnings)

  const meters = new Map<unknown, string>()
  for (const [i, meter] of items(member(given, 'meters')).entries()) {
    const at = `${path}.meters[${i}].id`
    const id = member(meter, 'id')
    const before = meters.get(id)
    if (id === undefined) continue
    if (before === undefined) meters.set(id, at)
    else
      refuse(at, id, `is the id of another meter (${before})`, 'give each meter an id of its own')
  }

  const beside = (key: string, other: string, why: string) => {
    if (member(given, key) === undefined || member(given, other) === undefined) return
    refuse(`${path}.${other}`, undefined, `cannot be given beside ${key}`, why)
  }
  beside('program', 'flows', 'remove one of them: either a program decides or flows do')
  beside('program', 'flowsFile', 'remove one of them: either a program decides or flows do')
  beside('flows', 'flowsFile', 'put all rules in one place')
  const flows = member(given, 'flows')
  if (Array.isArray(flows) && flows.length === 0) {
    const fix = 'add actions=normal to have the bridge switch, or remove the key'
    warnings.push({
      path: `${path}.flows`,
      value: flows,
      message: 'has no rules: every frame is dropped',
      fix,
    })
  }
}

function mirror(
  path: string,
  given: unknown,
  port: (path: string, name: unknown) => void,
  refuse: Refuse,
  warnings: Problem[],
): void {
  const output = member(given, 'outputPort')
  port(`${path}.outputPort`, output)
  for (const key of ['selectSrcPort', 'selectDstPort']) {
    for (const [i, name] of items(member(given, key)).entries()) {
      port(`${path}.${key}[${i}]`, name)
      if (name === output && typeof name === 'string')
        refuse(
          `${path}.${key}[${i}]`,
          name,
          'is the port that gets the copies',
          'give another, or another outputPort',
        )
    }
  }
  if (!isObject(given)) return
  if ((output === undefined) === (given.outputVlan === undefined)) {
    const message = output === undefined ? 'has no output' : 'has two outputs'
    refuse(path, undefined, message, 'give either outputPort or outputVlan')
  }
  const selects = (key: string) => items(given[key]).length > 0
  if (given.selectAll === true || selects('selectSrcPort') || selects('selectDstPort')) return
  const fix = 'give selectAll: true, selectSrcPort or selectDstPort'
  warnings.push({ path, value: undefined, message: 'selects nothing', fix })
}

function namesOf(all: readonly { readonly name: string | undefined }[]): Set<string> {
  return new Set(all.flatMap(({ name }) => name ?? []))
}

function oneOf(
  names: ReadonlySet<string>,
  path: string,
  value: unknown,
  what: string,
  refuse: Refuse,
): void {
  // What is no text is the schema's to refuse.
  if (typeof value !== 'string' || names.has(value)) return
  const near = nearest(value, names)
  const list = [...names].slice(0, 8).map(show).join(', ')
  const more = names.size > 8 ? ` and ${names.size - 8} more` : ''
  const none = names.size === 0 ? 'there is none' : `there are ${list}${more}`
  const fix = near === undefined ? none : `did you mean ${near}?`
  refuse(path, value, `is no ${what}`, fix)
}
