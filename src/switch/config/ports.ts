/**
 * A port: the options of the API and its place in a bridge, in one object.
 *
 * @packageDocumentation
 */
import {
  ConfigError,
  check,
  type PortOptions,
  type PortSpec,
  type Problem,
  validatePort,
} from 'dpdk-vhost'
import type { SwitchPortSpec } from '../spec.js'
import {
  ATTACHMENT_KEYS,
  attachmentOf,
  attachmentSchema,
  attachmentWarnings,
} from './attachment.js'
import { apiPorts } from './fields.js'
import { notAnObject, type Part, reword } from './part.js'
import { isObject, member, split } from './raw.js'
import { respell } from './spellings.js'

const LIKE = '{ name: vhost0, type: dpdkvhostuserclient, path: /run/vm/vhost0.sock }'

/** What can be said of a port by itself. @param mtu - the datapath's */
export function checkOnePort(
  given: unknown,
  mtu: number,
  defaultBridge: string,
): Part<SwitchPortSpec> & { readonly warnings: readonly Problem[] } {
  if (!isObject(given))
    return { spec: undefined, problems: [notAnObject(given, LIKE)], warnings: [] }
  const [options, place] = split(given, ATTACHMENT_KEYS)
  const { spec: port, problems } = checkOptions(options, mtu)
  const attachment = check(attachmentSchema, place)
  const keys = [...keysOfType(member(given, 'type')), ...ATTACHMENT_KEYS]
  const all = [...problems, ...attachment.problems].map((problem) =>
    reword(respell(problem, 'port', keys)),
  )
  const spec =
    port !== undefined && attachment.spec !== undefined && all.length === 0
      ? { port, attachment: attachmentOf(attachment.spec, defaultBridge) }
      : undefined
  const warnings =
    attachment.spec === undefined ? [] : attachmentWarnings(attachment.spec, port?.mtu ?? mtu)
  return { spec, problems: all, warnings }
}

/** The API's own check, which says more than its schema. */
function checkOptions(options: object, mtu: number): Part<PortSpec> {
  try {
    return { spec: validatePort(options as PortOptions, { mtu }), problems: [] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { spec: undefined, problems: error.problems }
  }
}

/** Keys that a port of that type can have; of all types, where it is none. */
export function keysOfType(type: unknown): string[] {
  const fitting = apiPorts.filter((schema) => schema.shape.type.value === type)
  const shapes = fitting.length > 0 ? fitting : apiPorts
  return [...new Set(shapes.flatMap((schema) => Object.keys(schema.shape)))]
}
