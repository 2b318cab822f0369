/**
 * Ports that come to a running switch, or change there.
 *
 * @packageDocumentation
 */
import { ConfigError, MAX_PORTS, nearest, type Problem, show } from 'dpdk-vhost'
import type { SwitchPortSpec, SwitchSpec } from '../spec.js'
import { ATTACHMENT_KEYS, defaultVlanMode } from './attachment.js'
import { crossChecks } from './cross-checks.js'
import { type Change, portChanges } from './difference.js'
import { outlineOf } from './outline.js'
import { checkOnePort, keysOfType } from './ports.js'
import { isObject } from './raw.js'

/**
 * A port as in the file, checked against a switch that runs.
 *
 * @throws ConfigError naming every problem
 */
export function checkPort(options: unknown, spec: SwitchSpec): SwitchPortSpec {
  const local = spec.bridges.flatMap((bridge) => bridge.local ?? [])
  const count = spec.ports.length + local.length
  if (count < MAX_PORTS) return checkAmong(options, spec, spec.ports)
  const message = `would be one more than ${MAX_PORTS}`
  const fix = 'delete a port first'
  throw new ConfigError(title(options), [{ path: '', value: undefined, message, fix }])
}

/**
 * A port with some keys changed; `null` takes a key away, back to its default.
 *
 * @param changes - keys of a port as in the file
 * @returns the port as it is to be, and what has to be done; nothing if it is so already
 * @throws ConfigError naming every problem
 */
export function changePort(
  current: SwitchPortSpec,
  changes: Readonly<Record<string, unknown>>,
  spec: SwitchSpec,
): { port: SwitchPortSpec; changes: Change[] } {
  const { name, type } = current.port
  const keys = [...keysOfType(type), ...ATTACHMENT_KEYS]
  const problems = Object.entries(changes).flatMap(([key, value]): Problem[] => {
    if (!keys.includes(key)) return [] // said by the check below, unless it is taken away
    const fixed = key === 'name' || key === 'type'
    if (!fixed || value === current.port[key]) return []
    const fix = 'delete the port and add another'
    return [{ path: key, value, message: 'cannot be changed', fix }]
  })
  for (const key of Object.keys(changes)) {
    if (changes[key] !== null || keys.includes(key)) continue
    const near = nearest(key, keys)
    const fix = near === undefined ? `the options are ${keys.join(', ')}` : `did you mean ${near}?`
    problems.push({ path: key, value: null, message: 'is not an option', fix })
  }
  if (problems.length > 0) throw new ConfigError(`port ${show(name)}`, problems)

  const options = { ...optionsOf(current), ...changes }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null))
  const others = spec.ports.filter(({ port }) => port.name !== name)
  const port = checkAmong(given, spec, others)
  return { port, changes: portChanges(current, port) }
}

/** A port as it would be written, so that keys which follow from others follow again. */
function optionsOf({ port, attachment }: SwitchPortSpec): Record<string, unknown> {
  const { vlanMode, tag } = attachment
  const follows = vlanMode === defaultVlanMode(tag)
  const all = { ...port, ...attachment, ...(follows ? { vlanMode: undefined } : {}) }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

function checkAmong(
  options: unknown,
  spec: SwitchSpec,
  others: readonly SwitchPortSpec[],
): SwitchPortSpec {
  const bridge = spec.bridges[0]?.name ?? ''
  const { spec: port, problems } = checkOnePort(options, spec.datapath.mtu, bridge)
  const all = [...problems, ...amongOthers(options, spec, others)]
  if (port === undefined || all.length > 0) throw new ConfigError(title(options), all)
  return port
}

/** What is wrong with a port because of what else there is: as if it stood last in the file. */
function amongOthers(
  options: unknown,
  spec: SwitchSpec,
  others: readonly SwitchPortSpec[],
): Problem[] {
  const ports = others.map(({ port, attachment }) => ({
    name: port.name,
    path: 'path' in port ? port.path : undefined,
    bridge: attachment.bridge,
  }))
  const bridges = spec.bridges.map(({ name, local }) => ({ name, local: local ?? false }))
  const lcores = spec.lcores.map(({ name }) => ({ name }))
  const outline = outlineOf({
    datapath: spec.datapath,
    bridges,
    lcores,
    ports: [...ports, options],
  })
  const path = `ports[${others.length}].`
  return crossChecks(outline, spec.admin.socket).problems.flatMap((problem) => {
    if (problem.path.startsWith(path))
      return [{ ...problem, path: problem.path.slice(path.length) }]
    // The name of a TAP interface is looked at after those of ports.
    if (!/^bridges\[\d+\]\.local/.test(problem.path)) return []
    return [
      {
        path: 'name',
        value: problem.value,
        message: 'is the name of the local port of a bridge',
        fix: problem.fix,
      },
    ]
  })
}

function title(options: unknown): string {
  const name = isObject(options) ? options.name : undefined
  return typeof name === 'string' && name !== '' ? `port ${show(name)}` : 'port'
}
